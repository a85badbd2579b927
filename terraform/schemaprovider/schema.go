package main

import (
	"compress/gzip"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"

	"github.com/hashicorp/terraform-plugin-go/tfprotov5"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

//go:embed schemas/*.json.gz
var files embed.FS

// The shape of `terraform providers schema -json`, as far as it is used.
type (
	document struct {
		Providers map[string]struct {
			Provider    schema            `json:"provider"`
			Resources   map[string]schema `json:"resource_schemas"`
			DataSources map[string]schema `json:"data_source_schemas"`
		} `json:"provider_schemas"`
	}
	schema struct {
		Version int64 `json:"version"`
		Block   block `json:"block"`
	}
	block struct {
		Attributes map[string]attribute `json:"attributes"`
		Blocks     map[string]nested    `json:"block_types"`
	}
	attribute struct {
		Type      json.RawMessage `json:"type"`
		Required  bool            `json:"required"`
		Optional  bool            `json:"optional"`
		Computed  bool            `json:"computed"`
		Sensitive bool            `json:"sensitive"`
		WriteOnly bool            `json:"write_only"`
	}
	nested struct {
		Nesting string `json:"nesting_mode"`
		Block   block  `json:"block"`
		Min     int64  `json:"min_items"`
		Max     int64  `json:"max_items"`
	}
)

var nestings = map[string]tfprotov5.SchemaNestedBlockNestingMode{
	"single": tfprotov5.SchemaNestedBlockNestingModeSingle,
	"list":   tfprotov5.SchemaNestedBlockNestingModeList,
	"set":    tfprotov5.SchemaNestedBlockNestingModeSet,
	"map":    tfprotov5.SchemaNestedBlockNestingModeMap,
	"group":  tfprotov5.SchemaNestedBlockNestingModeGroup,
}

// load reads the one schema of the provider among the embedded files.
func load(name string) (address string, _ *tfprotov5.GetProviderSchemaResponse, err error) {
	found, err := fs.Glob(files, "schemas/"+name+"-*.json.gz")
	if err != nil || len(found) != 1 {
		return "", nil, fmt.Errorf("%d schemas of %q here (%w)", len(found), name, err)
	}
	file, err := files.Open(found[0])
	if err != nil {
		return "", nil, err
	}
	defer file.Close()
	text, err := gzip.NewReader(file)
	if err != nil {
		return "", nil, err
	}
	var doc document
	if err := json.NewDecoder(text).Decode(&doc); err != nil {
		return "", nil, err
	}
	for address, p := range doc.Providers {
		out := &tfprotov5.GetProviderSchemaResponse{
			ResourceSchemas: map[string]*tfprotov5.Schema{}, DataSourceSchemas: map[string]*tfprotov5.Schema{}}
		if out.Provider, err = p.Provider.convert(); err != nil {
			return "", nil, err
		}
		for name, s := range p.Resources {
			if out.ResourceSchemas[name], err = s.convert(); err != nil {
				return "", nil, fmt.Errorf("%s: %w", name, err)
			}
		}
		for name, s := range p.DataSources {
			if out.DataSourceSchemas[name], err = s.convert(); err != nil {
				return "", nil, fmt.Errorf("%s: %w", name, err)
			}
		}
		return address, out, nil
	}
	return "", nil, fmt.Errorf("%s holds no provider", found[0])
}

func (s schema) convert() (*tfprotov5.Schema, error) {
	b, err := s.Block.convert()
	return &tfprotov5.Schema{Version: s.Version, Block: b}, err
}

func (b block) convert() (*tfprotov5.SchemaBlock, error) {
	out := &tfprotov5.SchemaBlock{}
	for name, a := range b.Attributes {
		t, err := tftypes.ParseJSONType(a.Type) //nolint:staticcheck // the only way from Terraform's own JSON
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out.Attributes = append(out.Attributes, &tfprotov5.SchemaAttribute{Name: name, Type: t, Required: a.Required,
			Optional: a.Optional, Computed: a.Computed, Sensitive: a.Sensitive, WriteOnly: a.WriteOnly})
	}
	for name, n := range b.Blocks {
		inner, err := n.Block.convert()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out.BlockTypes = append(out.BlockTypes, &tfprotov5.SchemaNestedBlock{TypeName: name, Block: inner,
			Nesting: nestings[n.Nesting], MinItems: n.Min, MaxItems: n.Max})
	}
	return out, nil
}
