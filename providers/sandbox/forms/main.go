// Writes providers/sandbox/src/form/builtin.forms: how Go reads and writes the structs of the kinds that
// engine/kinds/src/builtin.kinds lists, in the notation of providers/sandbox/src/form/mod.rs.
//
// The facts are read off Kubernetes' own API types by reflection.
package main

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"sort"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes/scheme"
	apiregistration "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
)

const (
	kinds  = "engine/kinds/src/builtin.kinds"
	output = "providers/sandbox/src/form/builtin.forms"
)

// letters names the types that have a form of their own, or none.
var letters = map[reflect.Type]string{
	reflect.TypeFor[resource.Quantity]():             "q",
	reflect.TypeFor[corev1.ResourceList]():           "R",
	reflect.TypeFor[metav1.Time]():                   "t",
	reflect.TypeFor[metav1.MicroTime]():              "m",
	reflect.TypeFor[metav1.Duration]():               "d",
	reflect.TypeFor[intstr.IntOrString]():            "o",
	reflect.TypeFor[[]byte]():                        "x",
	reflect.TypeFor[metav1.FieldsV1]():               "r",
	reflect.TypeFor[runtime.RawExtension]():          "r",
	reflect.TypeFor[apiextensions.JSON]():            "r",
	reflect.TypeFor[apiextensions.JSONSchemaProps](): "r",
}

func main() {
	if len(os.Args) != 2 {
		fail(fmt.Errorf("usage: go run . REPOSITORY_ROOT"))
	}
	table, err := os.ReadFile(filepath.Join(os.Args[1], kinds))
	if err != nil {
		fail(err)
	}
	known := scheme.Scheme
	for _, add := range []func(*runtime.Scheme) error{apiextensions.AddToScheme, apiregistration.AddToScheme} {
		if err := add(known); err != nil {
			fail(err)
		}
	}
	w := writer{lines: map[string]string{}}
	for _, line := range strings.Split(strings.TrimSpace(string(table)), "\n") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		columns := strings.Fields(line)
		version, err := schema.ParseGroupVersion(columns[0])
		if err != nil {
			fail(err)
		}
		object, err := known.New(version.WithKind(columns[1]))
		if err != nil {
			fail(err)
		}
		w.lines["="+columns[0]+"/"+columns[1]] = w.form(reflect.TypeOf(object).Elem())
	}
	if err := os.WriteFile(filepath.Join(os.Args[1], output), w.bytes(), 0o644); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "forms:", err)
	os.Exit(1)
}

// writer collects the structs that the listed kinds reach.
type writer struct {
	lines map[string]string
}

// form says how a type is written, and describes the structs it reaches.
func (w *writer) form(t reflect.Type) string {
	if letter, found := letters[t]; found {
		return letter
	}
	switch t.Kind() {
	case reflect.Pointer:
		return w.form(t.Elem())
	case reflect.Slice:
		return "[" + w.form(t.Elem()) + "]"
	case reflect.Map:
		return "{" + w.form(t.Elem()) + "}"
	case reflect.Struct:
		return "@" + w.reach(t)
	case reflect.String, reflect.Bool, reflect.Int, reflect.Int32, reflect.Int64, reflect.Float64:
		return "'" + t.Kind().String() + named(t)
	}
	fail(fmt.Errorf("%s has no form", t))
	return ""
}

// named gives the name of a scalar type that is not Go's own.
func named(t reflect.Type) string {
	if t.PkgPath() == "" {
		return ""
	}
	return "=" + t.String()
}

func (w *writer) reach(t reflect.Type) string {
	parent := path.Base(path.Dir(t.PkgPath()))
	name := parent + "." + t.String()
	if _, done := w.lines[name]; !done {
		w.lines[name] = ""
		w.lines[name] = strings.Join(w.fields(t, ""), " ")
	}
	return name
}

// fields lists the fields of a struct; those of an embedded one come under its name.
func (w *writer) fields(t reflect.Type, prefix string) []string {
	fields := []string{}
	for i := range t.NumField() {
		field := t.Field(i)
		tag, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if tag == "-" || !field.IsExported() {
			continue
		}
		if field.Anonymous && tag == "" {
			fields = append(fields, w.fields(field.Type, prefix+field.Name+".")...)
			continue
		}
		fields = append(fields, prefix+tag+presence(field.Type, options)+w.form(field.Type))
	}
	return fields
}

// presence says what is written of a field without a value: its zero (!), null (^), or nothing, be it for
// every zero (?) or for an absent value only (~).
func presence(t reflect.Type, options string) string {
	omits := strings.Contains(options, "omitempty")
	if strings.Contains(options, "omitzero") {
		return "?"
	}
	switch t.Kind() {
	case reflect.Pointer:
		if omits {
			return "~"
		}
		return "^"
	case reflect.Slice, reflect.Map:
		if omits {
			return "?"
		}
		return "^"
	case reflect.Struct:
		return "!"
	}
	if omits {
		return "?"
	}
	return "!"
}

func (w *writer) bytes() []byte {
	lines := []string{}
	for name, text := range w.lines {
		lines = append(lines, strings.TrimSpace(name+" "+text))
	}
	sort.Strings(lines)
	header := "# Generated by providers/sandbox/forms; the notation is in mod.rs.\n"
	return []byte(header + strings.Join(lines, "\n") + "\n")
}
