package signatures

import (
	"embed"
	"fmt"
	"io/fs"
)

//go:embed rules
var rulesFS embed.FS

//go:embed testdata/benign/*.json
var benignFS embed.FS

func builtinFS() fs.FS {
	sub, err := fs.Sub(rulesFS, "rules")
	if err != nil {
		return rulesFS // cannot be: the path above is constant and valid
	}
	return sub
}

// Builtin returns the ruleset that is built into the program.
func Builtin() (*Ruleset, error) {
	rs, err := Load(builtinFS())
	if err != nil {
		return nil, fmt.Errorf("loading the built-in rules: %w", err)
	}
	return rs, nil
}
