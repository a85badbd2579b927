package backupinfo

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// quote writes s as Python's repr does, so that ast.literal_eval gives s back
// and no byte of it can end the line.
func quote(s string) string {
	q := byte('\'')
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		q = '"'
	}
	var b strings.Builder
	b.WriteByte(q)
	for _, r := range s {
		switch {
		case r == rune(q) || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < ' ' || r >= 0x7f && r < 0xa0:
			fmt.Fprintf(&b, `\x%02x`, r)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	b.WriteByte(q)
	return b.String()
}

// literal is a Python literal: string, int64, float64, bool, nil, []any for
// lists and tuples, map[string]any for dicts.
type literalParser struct {
	s     string
	at    int
	depth int
}

const maxDepth = 8

// parseLiteral reads the whole of s as one Python literal of the kinds that
// barman writes.
func parseLiteral(s string) (any, error) {
	p := &literalParser{s: s}
	v, err := p.value()
	if err == nil && p.peek() != 0 {
		err = p.fail("something follows the value")
	}
	return v, err
}

func (p *literalParser) fail(why string) error {
	return fmt.Errorf("%w: column %d: %s", ErrFormat, p.at+1, why)
}

// peek skips blanks and gives the next byte, 0 at the end.
func (p *literalParser) peek() byte {
	for p.at < len(p.s) && (p.s[p.at] == ' ' || p.s[p.at] == '\t') {
		p.at++
	}
	if p.at == len(p.s) {
		return 0
	}
	return p.s[p.at]
}

func (p *literalParser) value() (any, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, p.fail("nested too deep")
	}
	defer func() { p.depth-- }()
	switch c := p.peek(); {
	case c == '\'' || c == '"':
		return p.str()
	case c == '[':
		return p.list(']')
	case c == '(':
		return p.list(')')
	case c == '{':
		return p.dict()
	default:
		return p.word()
	}
}

func (p *literalParser) list(end byte) (any, error) {
	p.at++
	out := []any{}
	for p.peek() != end {
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		out = append(out, v)
		if p.peek() == ',' {
			p.at++
		} else if p.peek() != end {
			return nil, p.fail("a comma or the end of the list was expected")
		}
	}
	p.at++
	return out, nil
}

func (p *literalParser) dict() (any, error) {
	p.at++
	out := map[string]any{}
	for p.peek() != '}' {
		key, err := p.value()
		name, ok := key.(string)
		if err != nil || !ok || p.peek() != ':' {
			return nil, p.fail("a name and a colon were expected")
		}
		p.at++
		if out[name], err = p.value(); err != nil {
			return nil, err
		}
		if p.peek() == ',' {
			p.at++
		} else if p.peek() != '}' {
			return nil, p.fail("a comma or the end of the dict was expected")
		}
	}
	p.at++
	return out, nil
}

func (p *literalParser) word() (any, error) {
	start := p.at
	for p.at < len(p.s) && !strings.ContainsRune(" \t,:]})", rune(p.s[p.at])) {
		p.at++
	}
	switch w := p.s[start:p.at]; w {
	case "None":
		return nil, nil
	case "True", "False":
		return w == "True", nil
	default:
		if n, err := strconv.ParseInt(w, 10, 64); err == nil {
			return n, nil
		}
		if f, err := strconv.ParseFloat(w, 64); err == nil {
			return f, nil
		}
		p.at = start
		return nil, p.fail("no literal that barman writes")
	}
}

func (p *literalParser) str() (any, error) {
	q := p.s[p.at]
	p.at++
	var b strings.Builder
	for p.at < len(p.s) {
		c := p.s[p.at]
		p.at++
		if c == q {
			return b.String(), nil
		}
		if c != '\\' {
			b.WriteByte(c)
			continue
		}
		if p.at == len(p.s) {
			break
		}
		c = p.s[p.at]
		p.at++
		if digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[c]; digits > 0 {
			if p.at+digits > len(p.s) {
				break
			}
			n, err := strconv.ParseUint(p.s[p.at:p.at+digits], 16, 32)
			if err != nil || !utf8.ValidRune(rune(n)) {
				return nil, p.fail("a bad escape")
			}
			b.WriteRune(rune(n))
			p.at += digits
			continue
		}
		plain, ok := map[byte]byte{'n': '\n', 'r': '\r', 't': '\t', '\\': '\\', '\'': '\'', '"': '"', '/': '/'}[c]
		if !ok {
			return nil, p.fail("an unknown escape")
		}
		b.WriteByte(plain)
	}
	return nil, p.fail("a string without an end")
}
