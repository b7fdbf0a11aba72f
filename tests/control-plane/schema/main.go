// Writes engine/kinds/src/builtin.schema: the structural types of the kinds listed in
// engine/kinds/src/builtin.kinds, in the notation of engine/kinds/src/schema/parse.rs.
//
// The facts come from the schema that client-go ships for its own apply clients, and, for the two kinds
// that live outside client-go, from kinds-without-client.schema beside this file.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"sort"
	"strconv"
	"strings"

	"sigs.k8s.io/structured-merge-diff/v6/schema"
	"sigs.k8s.io/structured-merge-diff/v6/typed"
)

const (
	clientGo = "k8s.io/client-go@v0.36.3"
	kinds    = "engine/kinds/src/builtin.kinds"
	extra    = "tests/control-plane/schema/kinds-without-client.schema"
	output   = "engine/kinds/src/builtin.schema"
)

// alwaysWritten names the lists of whole objects that merge by element and that Go writes as null when they
// are empty, for their tags lack omitempty; the schema of client-go does not tell.
var alwaysWritten = map[string]bool{"containers": true, "drivers": true}

func main() {
	if len(os.Args) != 2 {
		fail(errors.New("usage: go run . REPOSITORY_ROOT"))
	}
	root := os.Args[1]
	types, err := clientSchema()
	if err != nil {
		fail(err)
	}
	table, err := os.ReadFile(filepath.Join(root, kinds))
	if err != nil {
		fail(err)
	}
	byHand, err := os.ReadFile(filepath.Join(root, extra))
	if err != nil {
		fail(err)
	}
	w := writer{schema: types, lines: map[string]string{}, byHand: string(byHand)}
	for _, line := range strings.Split(strings.TrimSpace(string(table)), "\n") {
		if !strings.HasPrefix(line, "#") {
			w.kind(line)
		}
	}
	if err := os.WriteFile(filepath.Join(root, output), w.bytes(), 0o644); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "schema:", err)
	os.Exit(1)
}

// clientSchema parses the YAML that client-go holds as a string constant.
func clientSchema() (*schema.Schema, error) {
	download, err := exec.Command("go", "mod", "download", "-json", clientGo).Output()
	if err != nil {
		return nil, fmt.Errorf("download %s: %w", clientGo, err)
	}
	var module struct{ Dir string }
	if err := json.Unmarshal(download, &module); err != nil {
		return nil, err
	}
	source, err := os.ReadFile(filepath.Join(module.Dir, "applyconfigurations/internal/internal.go"))
	if err != nil {
		return nil, err
	}
	parts := strings.Split(string(source), "`")
	if len(parts) != 3 {
		return nil, errors.New("client-go no longer holds its schema in one string constant")
	}
	parser, err := typed.NewParser(typed.YAMLObject(parts[1]))
	if err != nil {
		return nil, err
	}
	return &parser.Schema, nil
}

// writer collects the lines of the types that the listed kinds reach.
type writer struct {
	schema *schema.Schema
	lines  map[string]string
	byHand string
}

func (w *writer) kind(line string) {
	columns := strings.Fields(line)
	group, version := "core", columns[0]
	if g, v, found := strings.Cut(columns[0], "/"); found {
		group, version = strings.Split(g, ".")[0], v
	}
	name := fmt.Sprintf("%s.%s.%s", group, version, columns[1])
	if strings.Contains(w.byHand, name+" ") {
		return
	}
	w.reach("io.k8s.api."+name, nil)
}

// reach writes the type of that name, with another relationship where a reference overrides it, and
// returns how to refer to it.
func (w *writer) reach(name string, relationship *schema.ElementRelationship) string {
	switch name {
	case "__untyped_deduced_":
		return "?"
	case "__untyped_atomic_":
		return "*"
	}
	reference := schema.TypeRef{NamedType: &name, ElementRelationship: relationship}
	atom, found := w.schema.Resolve(reference)
	if !found {
		fail(fmt.Errorf("client-go has no type %s", name))
	}
	if atom.List == nil && atom.Map == nil {
		return w.atom(atom)
	}
	short := shorten(name)
	if relationship != nil {
		short += "-" + string(*relationship)
	}
	if _, done := w.lines[short]; !done {
		w.lines[short] = ""
		w.lines[short] = w.atom(atom)
	}
	return "@" + short
}

func shorten(name string) string {
	for _, prefix := range []string{"io.k8s.api.", "io.k8s.apimachinery.pkg.apis.", "io.k8s.apimachinery.pkg."} {
		name = strings.TrimPrefix(name, prefix)
	}
	return name
}

func (w *writer) ref(reference schema.TypeRef) string {
	if reference.NamedType != nil {
		return w.reach(*reference.NamedType, reference.ElementRelationship)
	}
	return w.atom(reference.Inlined)
}

func (w *writer) atom(atom schema.Atom) string {
	text := ""
	if atom.Scalar != nil {
		text += string(string(*atom.Scalar)[0])
	}
	if atom.List != nil {
		text += w.list(atom.List)
	}
	if atom.Map != nil {
		text += w.object(atom.Map)
	}
	return text
}

func (w *writer) list(list *schema.List) string {
	text := "[" + w.ref(list.ElementType) + "]"
	if list.ElementRelationship != schema.Associative {
		return text
	}
	if len(list.Keys) == 0 {
		return text + "="
	}
	element, _ := w.schema.Resolve(list.ElementType)
	keys := append([]string{}, list.Keys...)
	sort.Strings(keys)
	for i, key := range keys {
		if field, found := element.Map.FindField(key); found && field.Default != nil {
			keys[i] += "=" + literal(field.Default)
		}
	}
	return text + "(" + strings.Join(keys, ",") + ")"
}

func literal(value any) string {
	switch value := value.(type) {
	case string:
		return strconv.Quote(value)
	case bool, int, int64, float64:
		return fmt.Sprint(value)
	}
	fail(fmt.Errorf("the default %v of a list key is no scalar", value))
	return ""
}

func (w *writer) object(object *schema.Map) string {
	fields := []string{}
	for _, field := range object.Fields {
		name, mark := field.Name, ""
		// An empty map by default marks a struct held by value: it is there in every object.
		if value := reflect.ValueOf(field.Default); value.Kind() == reflect.Map && value.Len() == 0 {
			name += "+"
		}
		if alwaysWritten[field.Name] && field.Type.Inlined.List != nil {
			mark = "+"
		}
		fields = append(fields, name+":"+w.ref(field.Type)+mark)
	}
	sort.Strings(fields)
	text := "{" + strings.Join(fields, ",")
	if (object.ElementType != schema.TypeRef{}) {
		text += "|" + w.ref(object.ElementType)
	}
	text += "}"
	if object.ElementRelationship == schema.Atomic {
		text += "!"
	}
	return text
}

func (w *writer) bytes() []byte {
	lines := []string{"? u[*]{|?}", "* u[*]{|*}!"}
	for name, text := range w.lines {
		lines = append(lines, name+" "+text)
	}
	lines = append(lines, strings.Split(strings.TrimSpace(w.byHand), "\n")...)
	sort.Strings(lines)
	header := "# Generated from " + clientGo + " by tests/control-plane/schema; the notation is in parse.rs.\n"
	return []byte(header + strings.Join(lines, "\n") + "\n")
}
