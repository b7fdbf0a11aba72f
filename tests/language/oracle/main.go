// Command oracle evaluates expressions with the reference implementation of the language: hashicorp/hcl with the
// values of zclconf/go-cty, as Terraform uses them.
//
// It reads one request a line, `{"text": …, "names": {NAME: NODE}}`, and prints one answer a line: `{"value": NODE}` or
// `{"error": …}`. node.go says what a NODE is.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

type request struct {
	Text  string          `json:"text"`
	Names map[string]node `json:"names"`
}

type answer struct {
	Value *node  `json:"value,omitempty"`
	Error string `json:"error,omitempty"`
	// Hidden tells that a part with a fault was evaluated, but may not count.
	Hidden bool `json:"hidden,omitempty"`
}

func main() {
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	encoder := json.NewEncoder(out)
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 64<<20)
	functions := functions()
	for in.Scan() {
		var asked request
		if err := json.Unmarshal(in.Bytes(), &asked); err != nil {
			fail(err)
		}
		context := &hcl.EvalContext{Variables: map[string]cty.Value{}, Functions: functions}
		for name, given := range asked.Names {
			value, err := given.value()
			if err != nil {
				fail(fmt.Errorf("%s: %w", name, err))
			}
			context.Variables[name] = value
		}
		if err := encoder.Encode(evaluate(asked.Text, context)); err != nil {
			fail(err)
		}
	}
	if err := in.Err(); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// evaluate answers one request. A panic of the libraries is an error like any other.
func evaluate(text string, context *hcl.EvalContext) (result answer) {
	defer func() {
		if fault := recover(); fault != nil {
			result = answer{Error: fmt.Sprintf("panic: %v", fault)}
		}
	}()
	expression, faults := hclsyntax.ParseExpression([]byte(text), "expression", hcl.InitialPos)
	if faults.HasErrors() {
		return answer{Error: "syntax: " + faults.Error()}
	}
	hidden := watch(expression)
	value, faults := expression.Value(context)
	if faults.HasErrors() {
		return answer{Error: faults.Error(), Hidden: *hidden}
	}
	shown, err := show(value)
	if err != nil {
		return answer{Error: "unprintable: " + err.Error()}
	}
	return answer{Value: shown, Hidden: *hidden}
}

// watched is an expression that notes its faults.
type watched struct {
	hclsyntax.Expression
	faulty *bool
}

func (w watched) Value(context *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	value, faults := w.Expression.Value(context)
	*w.faulty = *w.faulty || faults.HasErrors()
	return value, faults
}

// watch notes the faults of those parts of an expression that may not count: results of conditionals, sides of && and ||.
func watch(expression hclsyntax.Expression) *bool {
	faulty := new(bool)
	hclsyntax.VisitAll(expression, func(node hclsyntax.Node) hcl.Diagnostics {
		switch node := node.(type) {
		case *hclsyntax.ConditionalExpr:
			node.TrueResult = watched{node.TrueResult, faulty}
			node.FalseResult = watched{node.FalseResult, faulty}
		case *hclsyntax.BinaryOpExpr:
			if node.Op == hclsyntax.OpLogicalAnd || node.Op == hclsyntax.OpLogicalOr {
				node.LHS = watched{node.LHS, faulty}
				node.RHS = watched{node.RHS, faulty}
			}
		}
		return nil
	})
	return faulty
}
