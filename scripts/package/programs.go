package main

import (
	"fmt"
	"path/filepath"
)

// lambda packs a program under the name that the runtimes provided.al2 and provided.al2023 start.
func lambda(program string) ([]file, error) {
	f, err := read(program, "bootstrap", true)
	return []file{f}, err
}

// azure packs a program as host.json names it, with host.json and the triggers of the functions, one directory for each.
func azure(source, program string) ([]file, error) {
	handler, err := read(program, "handler", true)
	if err != nil {
		return nil, err
	}
	host, err := read(filepath.Join(source, "host.json"), "host.json", false)
	if err != nil {
		return nil, err
	}
	triggers, err := filepath.Glob(filepath.Join(source, "*", "function.json"))
	if err != nil || len(triggers) == 0 {
		return nil, fmt.Errorf("no functions in %s (%v)", source, err)
	}
	files := []file{handler, host}
	for _, path := range triggers {
		f, err := read(path, filepath.Base(filepath.Dir(path))+"/function.json", false)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

// webhook packs the service as its unit names it, with the unit, and examples of settings and policies.
func webhook(source, program string) ([]file, error) {
	service, err := read(program, "pgseal-webhook", true)
	if err != nil {
		return nil, err
	}
	files := []file{service}
	for _, name := range []string{"pgseal-webhook.service", "webhook.env", "versitygw/event-filter.json", "versitygw/staging-policy.json", "versitygw/vault-policy.json"} {
		f, err := read(filepath.Join(source, name), name, false)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}
