// Command oracle renders Kustomize overlays with the reference implementation: kustomize v5.8.1, the version kubectl
// 1.36 embeds, used as a library (its go.mod names api and kyaml v0.21.1).
//
// Each argument is the directory of one overlay. For each it prints one line of JSON: `{"case": …, "objects": […]}`
// with the objects in the order kubectl prints them, or `{"case": …, "error": …}`.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

type line struct {
	Case    string            `json:"case"`
	Objects []json.RawMessage `json:"objects"`
	Error   string            `json:"error,omitempty"`
}

func main() {
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	encoder := json.NewEncoder(out)
	for _, directory := range os.Args[1:] {
		result := line{Case: directory}
		objects, err := render(directory)
		if err != nil {
			result.Error = err.Error()
		}
		result.Objects = objects
		if err := encoder.Encode(result); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

// render builds one overlay with the options of `kubectl kustomize`. Every object passes through the YAML text that
// kubectl would print, so that what is compared is what a user's next tool reads.
func render(directory string) (objects []json.RawMessage, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("panic: %v", fault)
		}
	}()
	options := krusty.MakeDefaultOptions()
	options.Reorder = krusty.ReorderOptionUnspecified
	resources, err := krusty.MakeKustomizer(options).Run(filesys.MakeFsOnDisk(), directory)
	if err != nil {
		return nil, err
	}
	objects = []json.RawMessage{}
	for _, resource := range resources.Resources() {
		text, err := resource.AsYAML()
		if err != nil {
			return nil, err
		}
		object, err := yaml.YAMLToJSON(text)
		if err != nil {
			return nil, err
		}
		objects = append(objects, object)
	}
	return objects, nil
}
