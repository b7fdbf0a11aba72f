package main

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// sensitive is the mark of a sensitive value.
const sensitive = "sensitive"

// node is a value with all that is known of it.
type node struct {
	// Kind is bool, number, string, list, set, tuple, map, object, null or unknown.
	Kind string `json:"kind"`
	// Type is the type of elements of a list, set or map, and of what is null or unknown.
	Type *cty.Type `json:"type,omitempty"`
	// Value is a boolean, the text of a number or string, or the parts.
	Value     json.RawMessage `json:"value,omitempty"`
	Sensitive bool            `json:"sensitive,omitempty"`
	// What follows is known of an unknown value.
	NotNull bool   `json:"notNull,omitempty"`
	Prefix  string `json:"prefix,omitempty"`
	Least   int    `json:"least,omitempty"`
	Most    *int   `json:"most,omitempty"`
	From    *bound `json:"from,omitempty"`
	To      *bound `json:"to,omitempty"`
}

// bound is one end of the range of an unknown number.
type bound struct {
	Number    string `json:"number"`
	Inclusive bool   `json:"inclusive"`
}

func number(text string) (cty.Value, error) {
	return cty.ParseNumberVal(text)
}

// value builds the value that a node describes.
func (n node) value() (cty.Value, error) {
	value, err := n.plain()
	if err == nil && n.Sensitive {
		value = value.Mark(sensitive)
	}
	return value, err
}

func (n node) plain() (cty.Value, error) {
	switch n.Kind {
	case "null":
		return cty.NullVal(*n.Type), nil
	case "unknown":
		return n.unknown()
	case "bool":
		var value bool
		err := json.Unmarshal(n.Value, &value)
		return cty.BoolVal(value), err
	case "number", "string":
		var text string
		if err := json.Unmarshal(n.Value, &text); err != nil {
			return cty.NilVal, err
		}
		if n.Kind == "number" {
			return number(text)
		}
		return cty.StringVal(text), nil
	case "list", "set", "tuple":
		return n.sequence()
	case "map", "object":
		return n.mapping()
	}
	return cty.NilVal, fmt.Errorf("no kind of value: %q", n.Kind)
}

func (n node) unknown() (cty.Value, error) {
	if *n.Type == cty.DynamicPseudoType {
		return cty.DynamicVal, nil
	}
	known := cty.UnknownVal(*n.Type).Refine()
	if n.NotNull {
		known = known.NotNull()
	}
	if n.Prefix != "" {
		known = known.StringPrefixFull(n.Prefix)
	}
	if n.Least > 0 {
		known = known.CollectionLengthLowerBound(n.Least)
	}
	if n.Most != nil {
		known = known.CollectionLengthUpperBound(*n.Most)
	}
	return known.NewValue(), nil
}

func (n node) sequence() (cty.Value, error) {
	var nodes []node
	if err := json.Unmarshal(n.Value, &nodes); err != nil {
		return cty.NilVal, err
	}
	values := make([]cty.Value, len(nodes))
	for i, item := range nodes {
		value, err := item.value()
		if err != nil {
			return cty.NilVal, err
		}
		values[i] = value
	}
	switch {
	case n.Kind == "tuple":
		return cty.TupleVal(values), nil
	case n.Kind == "list" && len(values) == 0:
		return cty.ListValEmpty(*n.Type), nil
	case n.Kind == "list":
		return cty.ListVal(values), nil
	case len(values) == 0:
		return cty.SetValEmpty(*n.Type), nil
	}
	return cty.SetVal(values), nil
}

func (n node) mapping() (cty.Value, error) {
	var nodes map[string]node
	if err := json.Unmarshal(n.Value, &nodes); err != nil {
		return cty.NilVal, err
	}
	values := make(map[string]cty.Value, len(nodes))
	for name, item := range nodes {
		value, err := item.value()
		if err != nil {
			return cty.NilVal, err
		}
		values[name] = value
	}
	switch {
	case n.Kind == "object":
		return cty.ObjectVal(values), nil
	case len(values) == 0:
		return cty.MapValEmpty(*n.Type), nil
	}
	return cty.MapVal(values), nil
}

// show describes a value.
func show(value cty.Value) (*node, error) {
	marked := value.IsMarked()
	value, _ = value.Unmark()
	shown, err := showPlain(value)
	if err == nil {
		shown.Sensitive = marked
	}
	return shown, err
}

func showPlain(value cty.Value) (*node, error) {
	ty := value.Type()
	switch {
	case !value.IsKnown():
		return showUnknown(value), nil
	case value.IsNull():
		return &node{Kind: "null", Type: &ty}, nil
	case ty == cty.Bool:
		return parts("bool", nil, value.True())
	case ty == cty.Number:
		return parts("number", nil, value.AsBigFloat().Text('f', -1))
	case ty == cty.String:
		return parts("string", nil, value.AsString())
	case ty.IsSetType() && !value.IsWhollyKnown():
		return showPartSet(value), nil
	case ty.IsListType() || ty.IsSetType() || ty.IsTupleType():
		return showSequence(value)
	case ty.IsMapType() || ty.IsObjectType():
		return showMapping(value)
	}
	_, err := ctyjson.MarshalType(ty)
	return nil, fmt.Errorf("no value of the language: %v", err)
}

// showPartSet describes a set with unknown elements: some of them may turn out to be equal.
func showPartSet(value cty.Value) *node {
	ty := value.Type()
	most := value.LengthInt()
	return &node{Kind: "unknown", Type: &ty, NotNull: true, Least: 1, Most: &most}
}

func parts(kind string, ty *cty.Type, content any) (*node, error) {
	text, err := json.Marshal(content)
	return &node{Kind: kind, Type: ty, Value: text}, err
}

func showSequence(value cty.Value) (*node, error) {
	ty := value.Type()
	nodes := []*node{}
	for it := value.ElementIterator(); it.Next(); {
		_, item := it.Element()
		shown, err := show(item)
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, shown)
	}
	if ty.IsTupleType() {
		return parts("tuple", nil, nodes)
	}
	element := ty.ElementType()
	if ty.IsListType() {
		return parts("list", &element, nodes)
	}
	return parts("set", &element, nodes)
}

func showMapping(value cty.Value) (*node, error) {
	ty := value.Type()
	nodes := map[string]*node{}
	for it := value.ElementIterator(); it.Next(); {
		key, item := it.Element()
		shown, err := show(item)
		if err != nil {
			return nil, err
		}
		nodes[key.AsString()] = shown
	}
	if ty.IsObjectType() {
		return parts("object", nil, nodes)
	}
	element := ty.ElementType()
	return parts("map", &element, nodes)
}

func showUnknown(value cty.Value) *node {
	ty := value.Type()
	shown := &node{Kind: "unknown", Type: &ty}
	if ty == cty.DynamicPseudoType {
		return shown
	}
	known := value.Range()
	shown.NotNull = known.DefinitelyNotNull()
	switch {
	case ty == cty.String:
		shown.Prefix = known.StringPrefix()
	case ty == cty.Number:
		low, lowIncluded := known.NumberLowerBound()
		high, highIncluded := known.NumberUpperBound()
		shown.From = showBound(low, lowIncluded)
		shown.To = showBound(high, highIncluded)
	case ty.IsCollectionType():
		shown.Least = known.LengthLowerBound()
		if most := known.LengthUpperBound(); most != math.MaxInt {
			shown.Most = &most
		}
	}
	return shown
}

// longest is the length that no value exceeds, which tells nothing.
var longest = cty.NumberIntVal(math.MaxInt)

func showBound(value cty.Value, inclusive bool) *bound {
	if !value.IsKnown() || value.AsBigFloat().IsInf() || value.RawEquals(longest) {
		return nil
	}
	return &bound{Number: value.AsBigFloat().Text('f', -1), Inclusive: inclusive}
}
