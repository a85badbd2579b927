package azureiam

import (
	"fmt"
	"regexp"
	"strings"
)

// test is a parsed condition, or a part of one.
type test func(Request) bool

// parse reads a condition of version 2.0 in the part of its language that the module writes: ActionMatches and
// SubOperationMatches, the attributes path and prefix with StringLike and StringNotLike, AND, OR, NOT and !, and parentheses
// ("Azure role assignment condition format and syntax", 2026-11). Where AND and OR stand side by side without parentheses it
// refuses, rather than know which comes first.
func parse(text string) (test, error) {
	if len(text) > 8192 {
		return nil, fmt.Errorf("a condition of %d bytes, and Azure takes 8192", len(text))
	}
	p := &parser{}
	for rest := strings.TrimSpace(text); rest != ""; rest = strings.TrimSpace(rest) {
		token := tokens.FindString(rest)
		if token == "" {
			return nil, fmt.Errorf("condition: cannot read %.40q", rest)
		}
		p.tokens, rest = append(p.tokens, token), rest[len(token):]
	}
	t, err := p.expression()
	if err == nil && p.at < len(p.tokens) {
		err = fmt.Errorf("%q after the end", p.tokens[p.at])
	}
	if err != nil {
		return nil, fmt.Errorf("condition: %w", err)
	}
	return t, nil
}

var tokens = regexp.MustCompile(`^(?:[!()]|(?:AND|OR|NOT|StringLike|StringNotLike)\b|'[^']*'|ActionMatches\{'[^']*'\}|SubOperationMatches\{'[^']*'\}|@(?:Resource|Request)\[[A-Za-z/.:]+\])`)

type parser struct {
	tokens []string
	at     int
}

func (p *parser) next() string {
	if p.at == len(p.tokens) {
		return ""
	}
	p.at++
	return p.tokens[p.at-1]
}

func (p *parser) peek() string {
	if p.at == len(p.tokens) {
		return ""
	}
	return p.tokens[p.at]
}

// expression is operands with one kind of operator between them.
func (p *parser) expression() (test, error) {
	left, err := p.operand()
	operator := ""
	for err == nil && (p.peek() == "AND" || p.peek() == "OR") {
		found := p.next()
		if operator != "" && operator != found {
			return nil, fmt.Errorf("AND and OR side by side, without parentheses")
		}
		operator = found
		a := left
		var b test
		if b, err = p.operand(); err != nil {
			break
		}
		if operator == "AND" {
			left = func(r Request) bool { return a(r) && b(r) }
		} else {
			left = func(r Request) bool { return a(r) || b(r) }
		}
	}
	return left, err
}

func (p *parser) operand() (test, error) {
	switch token := p.next(); {
	case token == "!" || token == "NOT":
		inner, err := p.operand()
		return func(r Request) bool { return !inner(r) }, err
	case token == "(":
		inner, err := p.expression()
		if err == nil && p.next() != ")" {
			err = fmt.Errorf("a parenthesis without its end")
		}
		return inner, err
	case strings.HasPrefix(token, "ActionMatches{"):
		pattern := quoted(token)
		return func(r Request) bool { return like(pattern, r.Action) }, nil
	case strings.HasPrefix(token, "SubOperationMatches{"):
		name := quoted(token)
		return func(r Request) bool { return name == r.SubOperation }, nil
	case strings.HasPrefix(token, "@"):
		return p.comparison(token)
	case token == "":
		return nil, fmt.Errorf("ends too early")
	default:
		return nil, fmt.Errorf("unexpected %q", token)
	}
}

const blobs = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"

// comparison: an attribute that the request does not have equals nothing.
func (p *parser) comparison(attribute string) (test, error) {
	var value func(Request) string
	switch attribute {
	case "@Resource[" + blobs + ":path]":
		value = func(r Request) string { return r.Path }
	case "@Request[" + blobs + ":prefix]":
		value = func(r Request) string { return r.Prefix }
	default:
		return nil, fmt.Errorf("unknown attribute %s", attribute)
	}
	operator, operand := p.next(), p.next()
	if !strings.HasPrefix(operand, "'") {
		return nil, fmt.Errorf("%s wants a string, not %q", operator, operand)
	}
	pattern := operand[1 : len(operand)-1]
	switch operator {
	case "StringLike":
		return func(r Request) bool { v := value(r); return v != "" && like(pattern, v) }, nil
	case "StringNotLike":
		return func(r Request) bool { v := value(r); return v != "" && !like(pattern, v) }, nil
	}
	return nil, fmt.Errorf("unknown operator %q", operator)
}

func quoted(token string) string {
	return token[strings.Index(token, "'")+1 : strings.LastIndex(token, "'")]
}

// like matches as StringLike does: * stands for any characters, slashes included, and ? for one.
func like(pattern, s string) bool {
	parts := strings.Split(regexp.QuoteMeta(pattern), `\*`)
	re := regexp.MustCompile("(?s)^" + strings.ReplaceAll(strings.Join(parts, ".*"), `\?`, ".") + "$")
	return re.MatchString(s)
}
