package gcpiam

import (
	"fmt"
	"strconv"
	"strings"
)

// expression is a parsed condition. Attributes are those of the request: resource.name, resource.type, resource.service.
type expression func(attributes map[string]string) (any, error)

// parse reads a condition in the part of CEL that IAM conditions on Cloud Storage are written in: strings, true and false,
// ==, !=, &&, ||, !, parentheses, attributes, and the functions startsWith, endsWith and extract ("Attribute reference for
// IAM Conditions", 2026-11).
func parse(text string) (expression, error) {
	p := &parser{tokens: nil}
	var err error
	if p.tokens, err = tokens(text); err != nil {
		return nil, err
	}
	e, err := p.or()
	if err == nil && p.at < len(p.tokens) {
		err = fmt.Errorf("%q after the end", p.tokens[p.at])
	}
	if err != nil {
		return nil, fmt.Errorf("condition %s: %w", text, err)
	}
	if p.operators > 12 {
		return nil, fmt.Errorf("condition %s: %d logical operators, and IAM takes 12", text, p.operators)
	}
	return e, nil
}

// tokens splits a condition; a string keeps its opening quote, so that it is told from a name.
func tokens(text string) ([]string, error) {
	var out []string
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case c == ' ' || c == '\n' || c == '\t':
			i++
		case c == '"':
			end := i + 1
			for end < len(text) && text[end] != '"' {
				if text[end] == '\\' {
					end++
				}
				end++
			}
			if end >= len(text) {
				return nil, fmt.Errorf("a string without its end")
			}
			s, err := strconv.Unquote(text[i : end+1])
			if err != nil {
				return nil, fmt.Errorf("string %s: %w", text[i:end+1], err)
			}
			out, i = append(out, `"`+s), end+1
		case letter(c):
			end := i
			for end < len(text) && (letter(text[end]) || text[end] >= '0' && text[end] <= '9') {
				end++
			}
			out, i = append(out, text[i:end]), end
		case strings.HasPrefix(text[i:], "&&"), strings.HasPrefix(text[i:], "||"), strings.HasPrefix(text[i:], "=="), strings.HasPrefix(text[i:], "!="):
			out, i = append(out, text[i:i+2]), i+2
		case strings.ContainsRune("!().,", rune(c)):
			out, i = append(out, string(c)), i+1
		default:
			return nil, fmt.Errorf("unknown character %q", c)
		}
	}
	return out, nil
}

func letter(c byte) bool { return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

type parser struct {
	tokens    []string
	at        int
	operators int
}

func (p *parser) next(token string) bool {
	if p.at < len(p.tokens) && p.tokens[p.at] == token {
		p.at++
		return true
	}
	return false
}

func (p *parser) or() (expression, error)  { return p.joined("||", true, p.and) }
func (p *parser) and() (expression, error) { return p.joined("&&", false, p.not) }

// joined reads operands with one operator between them; decisive is the value that needs no further look.
func (p *parser) joined(operator string, decisive bool, operand func() (expression, error)) (expression, error) {
	left, err := operand()
	for err == nil && p.next(operator) {
		p.operators++
		a := left
		var b expression
		if b, err = operand(); err != nil {
			break
		}
		left = func(attributes map[string]string) (any, error) {
			v, err := truth(a, attributes)
			if err != nil || v == decisive {
				return v, err
			}
			return truth(b, attributes)
		}
	}
	return left, err
}

func (p *parser) not() (expression, error) {
	if !p.next("!") {
		return p.comparison()
	}
	p.operators++
	e, err := p.not()
	return func(attributes map[string]string) (any, error) {
		v, err := truth(e, attributes)
		return !v, err
	}, err
}

func (p *parser) comparison() (expression, error) {
	left, err := p.primary()
	if err != nil {
		return nil, err
	}
	equal := p.next("==")
	if !equal && !p.next("!=") {
		return left, nil
	}
	right, err := p.primary()
	return func(attributes map[string]string) (any, error) {
		a, err := left(attributes)
		if err != nil {
			return nil, err
		}
		b, err := right(attributes)
		return (a == b) == equal, err
	}, err
}

func (p *parser) primary() (expression, error) {
	if p.next("(") {
		e, err := p.or()
		if err == nil && !p.next(")") {
			err = fmt.Errorf("a parenthesis without its end")
		}
		return e, err
	}
	if p.at == len(p.tokens) {
		return nil, fmt.Errorf("ends too early")
	}
	token := p.tokens[p.at]
	p.at++
	if s, ok := strings.CutPrefix(token, `"`); ok {
		return constant(s), nil
	}
	switch {
	case token == "true" || token == "false":
		return constant(token == "true"), nil
	case !letter(token[0]):
		return nil, fmt.Errorf("unexpected %q", token)
	}
	return p.attribute(token)
}

func constant(v any) expression {
	return func(map[string]string) (any, error) { return v, nil }
}

// attribute reads a dotted name, and the function call that may end it.
func (p *parser) attribute(name string) (expression, error) {
	for p.next(".") {
		if p.at == len(p.tokens) {
			return nil, fmt.Errorf("ends after %s", name)
		}
		member := p.tokens[p.at]
		p.at++
		if p.next("(") {
			return p.call(name, member)
		}
		name += "." + member
	}
	return func(attributes map[string]string) (any, error) {
		v, ok := attributes[name]
		if !ok {
			return nil, fmt.Errorf("no attribute %s", name)
		}
		return v, nil
	}, nil
}

func (p *parser) call(attribute, function string) (expression, error) {
	f, ok := functions[function]
	if !ok {
		return nil, fmt.Errorf("unknown function %s", function)
	}
	if p.at == len(p.tokens) || !strings.HasPrefix(p.tokens[p.at], `"`) {
		return nil, fmt.Errorf("%s wants a string", function)
	}
	argument := p.tokens[p.at][1:]
	p.at++
	if !p.next(")") {
		return nil, fmt.Errorf("%s wants one argument", function)
	}
	return func(attributes map[string]string) (any, error) {
		v, ok := attributes[attribute]
		if !ok {
			return nil, fmt.Errorf("no attribute %s", attribute)
		}
		return f(v, argument)
	}, nil
}

func truth(e expression, attributes map[string]string) (bool, error) {
	v, err := e(attributes)
	if err != nil {
		return false, err
	}
	b, ok := v.(bool)
	if !ok {
		return false, fmt.Errorf("%v is neither true nor false", v)
	}
	return b, nil
}
