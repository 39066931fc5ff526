package settings

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
	"go.yaml.in/yaml/v3"
)

// maxFile bounds a file of settings. A real one has a few kilobytes.
const maxFile = 1 << 20

// A Mistake is something wrong in a place that sets settings.
type Mistake struct {
	Place  string // "FILE:LINE", or the policy's key
	Reason string
}

func (m Mistake) Error() string { return m.Place + ": " + m.Reason }

// Places says where settings are looked for.
type Places struct {
	File    string           // "" is DefaultFile for this system; it may be missing unless Named
	Named   bool             // somebody named the file: it must be there
	Managed func() []Managed // nil asks this system
}

// A Managed value is one that the organisation sets above the file.
type Managed struct {
	Name  string // PolicyName of the setting
	Value string
	Place string
}

// Load reads all places. On error, which holds one Mistake or more (errors.As, or Mistakes), the settings without the
// wrong ones are returned as well.
func Load(p Places) (Settings, error) {
	l := loader{s: Default(), options: map[string]Option{}}
	for _, o := range Options() {
		l.options[o.Key] = o
	}
	file := cmp.Or(p.File, DefaultFile())
	if file != "" {
		l.named = p.Named
		l.file(file, !p.Named)
		l.folder(filepath.Join(filepath.Dir(file), "conf.d"))
	}
	managed := p.Managed
	if managed == nil {
		managed = readManaged
	}
	l.managed(managed())
	return l.s, errors.Join(l.mistakes...)
}

// Mistakes lists what is wrong in an error of Load.
func Mistakes(err error) []Mistake {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return nil
	}
	var list []Mistake
	for _, e := range joined.Unwrap() {
		var m Mistake
		if errors.As(e, &m) {
			list = append(list, m)
		}
	}
	return list
}

type loader struct {
	s        Settings
	options  map[string]Option
	mistakes []error
	named    bool
}

func (l *loader) wrong(place, format string, args ...any) {
	l.mistakes = append(l.mistakes, Mistake{place, fmt.Sprintf(format, args...)})
}

// folder reads the files of a folder in the order of their names.
func (l *loader) folder(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		l.wrong(dir, "it could not be read: %v", err)
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".yml") || strings.HasSuffix(e.Name(), ".yaml") {
			l.file(filepath.Join(dir, e.Name()), false)
		}
	}
}

func (l *loader) file(name string, mayMiss bool) {
	data, err := readFile(name, l.named)
	if mayMiss && errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		l.wrong(name, "it could not be read: %v", errors.Unwrap(err))
		return
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		l.wrong(name, "it is no YAML: %s", strings.TrimPrefix(err.Error(), "yaml: "))
		return
	}
	if len(doc.Content) == 0 { // nothing but comments
		return
	}
	l.mapping(name, "", doc.Content[0])
}

func readFile(name string, anybodys bool) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if !anybodys {
		if err := trustworthy(f); err != nil {
			return nil, &fs.PathError{Op: "read", Path: name, Err: err}
		}
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = &fs.PathError{Op: "read", Path: name, Err: fmt.Errorf("it is larger than %d bytes", maxFile)}
	}
	return data, err
}

// mapping reads the keys below prefix.
func (l *loader) mapping(file, prefix string, n *yaml.Node) {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return // "outputs:" with nothing below it
	}
	if n.Kind != yaml.MappingNode {
		l.wrong(at(file, n), "%s must hold \"key: value\" lines", cmp.Or(strings.TrimSuffix(prefix, "."), "the file"))
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		key := prefix + k.Value
		if seen[key] {
			l.wrong(at(file, k), "%s is set twice", key)
		}
		seen[key] = true
		if o, ok := l.options[key]; ok {
			l.value(file, o, v)
		} else if l.isGroup(key + ".") {
			l.mapping(file, key+".", v)
		} else {
			l.wrong(at(file, k), "there is no setting %s%s", key, l.suggest(key))
		}
	}
}

func at(file string, n *yaml.Node) string { return fmt.Sprintf("%s:%d", file, n.Line) }

func (l *loader) isGroup(prefix string) bool {
	for key := range l.options {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return false
}

func (l *loader) value(file string, o Option, n *yaml.Node) {
	if n.Kind != yaml.ScalarNode {
		l.wrong(at(file, n), "%s must be one value", o.Key)
		return
	}
	text := n.Value
	if n.Tag == "!!null" {
		text = o.Built
	}
	l.set(at(file, n), o, text)
}

func (l *loader) set(place string, o Option, text string) {
	v, err := o.parse(text)
	if err != nil {
		l.wrong(place, "%s: %v", o.Key, err)
		return
	}
	o.set(&l.s, v)
	l.s.from[o.Key] = place
}

// suggest names the setting that may have been meant.
func (l *loader) suggest(key string) string {
	last := key[strings.LastIndexByte(key, '.')+1:]
	best, distance := "", 4
	keys := make([]string, 0, len(l.options))
	for k := range l.options {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		d := levenshtein.ComputeDistance(key, k)
		if strings.HasSuffix(k, "."+last) {
			d = min(d, 3)
		}
		if d < distance {
			best, distance = k, d
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + best + "?"
}

func (l *loader) managed(values []Managed) {
	names := map[string]Option{}
	for _, o := range l.options {
		names[strings.ToLower(o.PolicyName())] = o
	}
	for _, m := range values {
		o, ok := names[strings.ToLower(m.Name)]
		if !ok {
			l.wrong(m.Place, "there is no setting %s", m.Name)
			continue
		}
		l.set(m.Place, o, m.Value)
	}
}
