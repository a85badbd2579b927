package option

import (
	"slices"
	"strings"
)

// Parse reads the arguments after the command's name, then the environment for what was not given, then the defaults.
// lookup is os.LookupEnv; an empty variable counts as not set. The error is ErrHelp, ErrVersion or an Error.
func (c *Command) Parse(args []string, lookup func(string) (string, bool)) (*Values, error) {
	p := parser{
		command: c,
		rest:    args,
		values: &Values{
			command: c,
			args:    map[string]string{},
			values:  map[string]any{},
			given:   map[string]bool{},
			chosen:  map[string]*Option{},
		},
	}
	if err := p.arguments(); err != nil {
		return nil, err
	}
	if err := p.environment(lookup); err != nil {
		return nil, err
	}
	for _, o := range c.Options() {
		if _, have := p.values.values[o.key()]; have || o.Default == "" {
			continue
		}
		if err := p.values.convert(o, o.Default); err != nil {
			return nil, Errorf("default of --%s: %v", o.Name, err)
		}
	}
	return p.values, nil
}

type parser struct {
	command     *Command
	rest        []string
	positionals []string
	unknown     []string
	values      *Values
}

func (p *parser) arguments() error {
	for len(p.rest) > 0 {
		arg := p.rest[0]
		p.rest = p.rest[1:]
		if arg == "--" {
			p.positionals = append(p.positionals, p.rest...)
			break
		}
		m, isOption, err := p.command.classify(arg)
		switch {
		case err != nil:
			return err
		case !isOption:
			p.positionals = append(p.positionals, arg)
		case m.option == nil:
			p.unknown = append(p.unknown, arg)
		default:
			if err := p.option(m); err != nil {
				return err
			}
		}
	}
	return p.place()
}

// option takes one option with its values, and those grouped behind it in the same argument.
func (p *parser) option(m match) error {
	for {
		if err := p.admit(m.option); err != nil {
			return err
		}
		if m.option.takesValue() {
			return p.withValue(m)
		}
		if err := p.flag(m); err != nil || !m.hasValue {
			return err
		}
		// -zv is -z -v, and -zJ4 is -z -J 4; --gzip=yes is nothing.
		next := match{}
		if !strings.HasPrefix(m.written, "--") && m.value != "" {
			next.written = "-" + m.value[:1]
			next.option = p.command.named(next.written)
			next.value, next.hasValue = m.value[1:], len(m.value) > 1
		}
		if next.option == nil {
			return Errorf("argument %s: ignored explicit argument '%s'", label(m.option), m.value)
		}
		m = next
	}
}

// admit refuses what is not part of pgseal, and a second option of an exclusive group.
func (p *parser) admit(o *Option) error {
	if o.Kind == refused {
		return Errorf("argument %s: %s", label(o), o.Help)
	}
	if o.Exclusive == "" {
		return nil
	}
	if other := p.values.chosen[o.Exclusive]; other != nil && other != o {
		return Errorf("argument %s: not allowed with argument %s", label(o), label(other))
	}
	p.values.chosen[o.Exclusive] = o
	return nil
}

func (p *parser) flag(m match) error {
	v, key := p.values, m.option.key()
	v.given[key] = true
	switch m.option.Kind {
	case help:
		return ErrHelp
	case version:
		return ErrVersion
	case Count:
		n, _ := v.values[key].(int)
		v.values[key] = n + 1
	default:
		v.values[key] = m.written != "--no-"+m.option.Name
	}
	return nil
}

func (p *parser) withValue(m match) error {
	texts := []string{m.value}
	if !m.hasValue {
		n := 0
		for n < len(p.rest) && (n == 0 || m.option.Many) {
			if _, isOption, err := p.command.classify(p.rest[n]); err != nil {
				return err
			} else if isOption {
				break
			}
			n++
		}
		if n == 0 && !m.option.Many {
			return Errorf("argument %s: expected one argument", label(m.option))
		}
		texts, p.rest = p.rest[:n], p.rest[n:]
	}
	for _, text := range texts {
		if err := p.values.convert(m.option, text); err != nil {
			return Errorf("argument %s: %v", label(m.option), err)
		}
		p.values.given[m.option.key()] = true
	}
	return nil
}

// place gives the positional arguments their names.
func (p *parser) place() error {
	if len(p.unknown) > 0 {
		return Errorf("unrecognized arguments: %s", strings.Join(p.unknown, " "))
	}
	for i, a := range p.command.Args {
		if i < len(p.positionals) {
			p.values.args[a.Name] = p.positionals[i]
			continue
		}
		if a.Optional {
			continue
		}
		var missing []string
		for _, m := range p.command.Args[i:] {
			if !m.Optional {
				missing = append(missing, m.Name)
			}
		}
		return Errorf("the following arguments are required: %s", strings.Join(missing, ", "))
	}
	if n := len(p.command.Args); len(p.positionals) > n {
		return Errorf("unrecognized arguments: %s", strings.Join(p.positionals[n:], " "))
	}
	return nil
}

// environment takes the variables of options that were not given. What was typed wins over the environment, also where
// two options exclude each other.
func (p *parser) environment(lookup func(string) (string, bool)) error {
	typed := map[string]*Option{}
	for group, o := range p.values.chosen {
		typed[group] = o
	}
	for _, o := range p.command.Options() {
		if o.Env == "" || p.values.given[o.key()] || typed[o.Exclusive] != nil {
			continue
		}
		text, _ := lookup(o.Env)
		if text == "" {
			continue
		}
		if err := p.values.convert(o, text); err != nil {
			return Errorf("environment variable %s: %v", o.Env, err)
		}
		if err := p.admit(o); err != nil {
			return Errorf("environment variable %s: %v", o.Env, err)
		}
		p.values.given[o.key()] = true
	}
	return nil
}

// label names an option as argparse does in its errors.
func label(o *Option) string {
	return strings.Join(slices.DeleteFunc(o.names(), func(n string) bool { return strings.HasPrefix(n, "--no-") }), "/")
}
