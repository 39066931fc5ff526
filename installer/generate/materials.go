package main

import (
	"debug/buildinfo"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// standardLibrary is what lists of vulnerabilities call Go's own packages.
const standardLibrary = "stdlib"

// modules returns the modules that the programs were linked from, Go's own packages as well, sorted, each once.
func modules(programs ...string) ([]*debug.Module, error) {
	var all []*debug.Module
	for _, p := range programs {
		info, err := buildinfo.ReadFile(p)
		if err != nil {
			return nil, fmt.Errorf("read what %s was built from: %w", p, err)
		}
		for _, m := range info.Deps {
			if m.Replace != nil {
				m = m.Replace
			}
			all = append(all, m)
		}
		all = append(all, &debug.Module{Path: standardLibrary, Version: strings.TrimPrefix(info.GoVersion, "go")})
	}
	slices.SortFunc(all, func(a, b *debug.Module) int { return strings.Compare(a.Path+"@"+a.Version, b.Path+"@"+b.Version) })
	return slices.CompactFunc(all, func(a, b *debug.Module) bool { return a.Path == b.Path && a.Version == b.Version }), nil
}

// sbom writes the bill of materials of the programs.
func sbom(out io.Writer, version string, when time.Time, programs []string) error {
	list, err := modules(programs...)
	if err != nil {
		return err
	}
	product := cdx.Component{BOMRef: "extwatch", Type: cdx.ComponentTypeApplication, Name: "extwatch", Version: version,
		Licenses: &cdx.Licenses{{License: &cdx.License{ID: "Apache-2.0"}}}}
	var components []cdx.Component
	var refs []string
	for _, m := range list {
		purl := "pkg:golang/" + m.Path + "@" + m.Version
		components = append(components, cdx.Component{BOMRef: purl, Type: cdx.ComponentTypeLibrary, Name: m.Path, Version: m.Version, PackageURL: purl})
		refs = append(refs, purl)
	}
	bom := cdx.NewBOM()
	bom.Metadata = &cdx.Metadata{Timestamp: when.Format(time.RFC3339), Component: &product}
	bom.Components = &components
	bom.Dependencies = &[]cdx.Dependency{{Ref: "extwatch", Dependencies: &refs}}
	e := cdx.NewBOMEncoder(out, cdx.BOMFileFormatJSON)
	e.SetPretty(true)
	return e.Encode(bom)
}

var licenseFile = regexp.MustCompile(`(?i)^(LICEN[CS]E|COPYING|NOTICE|PATENTS)([.-].*)?$`)

// licenses writes the licence of each module in the programs. One without a licence is an error: it may not be shipped.
func licenses(out io.Writer, programs []string) error {
	list, err := modules(programs...)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "ExtWatch is made with the following libraries. Each keeps its own licence.\n")
	for _, m := range list {
		dir, err := source(m.Path)
		if err != nil {
			return fmt.Errorf("find the files of %s: %w", m.Path, err)
		}
		entries, err := os.ReadDir(dir)
		if err != nil {
			return err
		}
		found := false
		for _, e := range entries {
			if e.IsDir() || !licenseFile.MatchString(e.Name()) {
				continue
			}
			text, err := os.ReadFile(filepath.Join(dir, e.Name()))
			if err != nil {
				return err
			}
			found = true
			fmt.Fprintf(out, "\n%s\n%s %s (%s)\n\n%s\n", strings.Repeat("=", 100), m.Path, m.Version, e.Name(), strings.TrimSpace(string(text)))
		}
		if !found {
			return fmt.Errorf("%s has no licence file", m.Path)
		}
	}
	return nil
}

// source is the folder with the files of a module.
func source(module string) (string, error) {
	args := []string{"list", "-m", "-f", "{{.Dir}}", module}
	if module == standardLibrary {
		args = []string{"env", "GOROOT"}
	}
	dir, err := exec.Command("go", args...).Output()
	return strings.TrimSpace(string(dir)), err
}
