// Package azureiam evaluates Azure role assignments on blob containers as far as pgseal's module uses them: data actions, and
// conditions of version 2.0. What it does not know it refuses to parse.
//
// It follows "Azure role assignment condition format and syntax" and "Actions and attributes for Azure role assignment
// conditions for Azure Blob Storage" (read 2026-11), and was never compared with a live account.
package azureiam

import (
	"fmt"
	"slices"
)

// Assignment gives data actions on a container, where the condition holds.
type Assignment struct {
	DataActions []string `json:"data_actions"` // patterns: "Microsoft.Storage/.../blobs/read"
	Condition   string   `json:"condition"`    // "" always holds
}

// Request is one question to a container.
type Request struct {
	Action       string // "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write"
	SubOperation string // "Blob.List", "Blob.Write.Tier", or ""
	Path         string // the blob's name; "" for requests to the container
	Prefix       string // of a listing
}

// Check refuses a condition that cannot be read, or is longer than Azure takes.
func (a Assignment) Check() error {
	if len(a.DataActions) == 0 {
		return fmt.Errorf("an assignment without data actions")
	}
	if a.Condition == "" {
		return nil
	}
	_, err := parse(a.Condition)
	return err
}

// Allows tells whether the assignment lets the request through. A condition that cannot be read lets nothing through.
func (a Assignment) Allows(r Request) bool {
	if !slices.ContainsFunc(a.DataActions, func(pattern string) bool { return like(pattern, r.Action) }) {
		return false
	}
	if a.Condition == "" {
		return true
	}
	t, err := parse(a.Condition)
	return err == nil && t(r)
}
