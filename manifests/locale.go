package manifests

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tidwall/gjson"
)

const (
	// maxLocales bounds how many locales are read. The Chrome Web Store knows 55.
	maxLocales = 100
	// maxMessages is the largest messages.json read, in bytes; large wallets have some hundred KiB per locale.
	maxMessages = 4 << 20
	// maxText bounds what one string may grow to by replacing, in bytes: placeholders may repeat a long text.
	maxText = 64 << 10
)

// Localize replaces __MSG_name__ in the strings that people see and in the overridden settings, when the manifest has
// a default_locale; without one they stay as written, as in browsers. read returns the bytes of a file inside the
// package ("_locales/en/messages.json"), locale is the browser's UI locale ("en_US"), and locales are the names of the
// folders in _locales.
//
// Messages come from the locale, then its parents ("sr_Cyrl_RS", "sr_Cyrl", "sr"), then default_locale, each message
// on its own. Their names are compared without case. A message that is missing everywhere stays as written and
// becomes a Problem; no browser loads such an extension.
//
// It returns the names of the extension in all locales, without duplicates: first the localized name, then the one of
// default_locale, then the others in order of the folders, at most 100 locales.
func Localize(m *Manifest, locale string, locales []string, read func(name string) ([]byte, error)) (names []string) {
	if m.DefaultLocale == "" {
		return appendNew(nil, m.Name)
	}
	l := &localizer{p: &parser{m: m}, read: read, folders: locales, catalogs: map[string]catalog{}}
	if len(locales) > maxLocales {
		l.p.problem("_locales has %d folders; only the first %d are read", len(locales), maxLocales)
		l.folders = locales[:maxLocales]
	}
	texts := []*string{
		&m.Name, &m.ShortName, &m.Description, &m.VersionName, &m.Author, &m.HomepageURL,
	}
	for i := range m.Overrides {
		texts = append(texts, &m.Overrides[i].URL)
	}
	l.collect(texts)
	if len(l.wanted) == 0 {
		return appendNew(nil, m.Name)
	}

	if _, ok := l.defaultFolder(); !ok {
		l.p.problem("default_locale is %q, which has no folder in _locales", clip(m.DefaultLocale))
	}
	rawName := m.Name
	chain := l.chain(locale)
	for _, text := range texts {
		*text = l.replace(*text, locale, chain, true)
	}
	m.Name = collapseSpace(m.Name)
	names = appendNew(nil, m.Name)
	if !strings.Contains(rawName, messageBegin) {
		return names
	}
	for _, folder := range append(l.chain(""), l.folders...) {
		// The folder itself comes first, however it is spelled: Firefox may show what Chromium ignores.
		chain := append([]string{folder}, l.chain(folder)...)
		names = appendNew(names, collapseSpace(l.replace(rawName, folder, chain, false)))
	}
	return names
}

// appendNew appends name unless it is empty or there already.
func appendNew(names []string, name string) []string {
	if name == "" || slices.Contains(names, name) {
		return names
	}
	return append(names, name)
}

const (
	messageBegin = "__MSG_"
	messageEnd   = "__"
)

// A catalog holds the wanted messages of one locale by lower-case name, their placeholders replaced.
type catalog map[string]string

type localizer struct {
	p        *parser
	read     func(name string) ([]byte, error)
	folders  []string
	wanted   map[string]bool // lower-case names of the messages that the manifest uses
	catalogs map[string]catalog
}

// collect notes which messages the texts use, so that of large catalogs only these are kept.
func (l *localizer) collect(texts []*string) {
	l.wanted = make(map[string]bool)
	for _, text := range texts {
		substitute(*text, messageBegin, messageEnd, func(name string) (string, bool) {
			l.wanted[name] = true
			return "", false
		})
	}
}

// chain returns the folders to look into for a locale, best first: it, its parents, default_locale. Their names must
// be spelled right: Chromium 156.0.8078.79 ignores "en-US".
func (l *localizer) chain(locale string) []string {
	var folders []string
	add := func(folder string) {
		if slices.Contains(l.folders, folder) && !slices.Contains(folders, folder) {
			folders = append(folders, folder)
		}
	}
	for parent := normalLocale(locale); parent != ""; {
		add(parent)
		parent = parent[:max(0, strings.LastIndexByte(parent, '_'))]
	}
	if folder, ok := l.defaultFolder(); ok {
		add(folder)
	}
	return folders
}

// defaultFolder finds the folder of default_locale. One that differs in case or hyphens will do: some file systems and
// Firefox accept it.
func (l *localizer) defaultFolder() (string, bool) {
	locale := l.p.m.DefaultLocale
	if slices.Contains(l.folders, locale) {
		return locale, true
	}
	i := slices.IndexFunc(l.folders, func(folder string) bool {
		return strings.EqualFold(normalLocale(folder), normalLocale(locale))
	})
	if i < 0 {
		return "", false
	}
	return l.folders[i], true
}

func normalLocale(locale string) string { return strings.ReplaceAll(locale, "-", "_") }

// replace returns text with its messages replaced. With note, missing ones become problems.
func (l *localizer) replace(text, locale string, chain []string, note bool) string {
	replaced := substitute(text, messageBegin, messageEnd, func(name string) (string, bool) {
		for _, folder := range chain {
			if message, ok := l.catalog(folder)[name]; ok {
				return message, true
			}
		}
		if message, ok := reserved(name, locale); ok {
			return message, true
		}
		if note {
			l.p.problem("message %q is used but not in any messages.json for %s", clip(name), clip(locale))
		}
		return "", false
	})
	if note && len(replaced) > maxText-utf8.UTFMax && len(text) < len(replaced) {
		l.p.problem("%q grows beyond %d bytes by its messages and is cut", clip(text), maxText)
	}
	return replaced
}

// reserved returns the messages that Chromium adds by itself, as far as a manifest may use them.
func reserved(name, locale string) (string, bool) {
	language, _, _ := strings.Cut(normalLocale(locale), "_")
	rtl := slices.Contains([]string{"ar", "fa", "he", "iw", "ur", "yi"}, language)
	pick := func(ltrText, rtlText string) (string, bool) {
		if rtl {
			return rtlText, true
		}
		return ltrText, true
	}
	switch name {
	case "@@ui_locale":
		return locale, true
	case "@@bidi_dir":
		return pick("ltr", "rtl")
	case "@@bidi_reversed_dir":
		return pick("rtl", "ltr")
	case "@@bidi_start_edge":
		return pick("left", "right")
	case "@@bidi_end_edge":
		return pick("right", "left")
	}
	return "", false
}

// catalog reads the messages of one folder, once.
func (l *localizer) catalog(folder string) catalog {
	if c, ok := l.catalogs[folder]; ok {
		return c
	}
	file := "_locales/" + folder + "/messages.json"
	c, err := l.load(file)
	if err != nil {
		l.p.m.Problems = append(l.p.m.Problems, Problem{File: file, Reason: err.Error()})
	}
	l.catalogs[folder] = c
	return c
}

func (l *localizer) load(file string) (catalog, error) {
	data, err := l.read(file)
	if err != nil {
		return nil, fmt.Errorf("read messages: %w", err)
	}
	if len(data) > maxMessages {
		return nil, fmt.Errorf("the file has %d bytes; at most %d are read", len(data), maxMessages)
	}
	root, err := ReadJSON(data)
	if err != nil {
		return nil, fmt.Errorf("read messages: %w", err)
	}
	if !root.IsObject() {
		return nil, fmt.Errorf("the messages are %s, not an object", typeName(root))
	}
	c := make(catalog)
	spelled := make(map[string]string) // lower-case name -> the spelling that c holds
	var bad error
	root.ForEach(func(key, value gjson.Result) bool {
		name := lowerASCII(key.Str)
		// Of names that differ in case, Chromium keeps the last in byte order, whatever their order in the file.
		if !l.wanted[name] || key.Str < spelled[name] {
			return true
		}
		spelled[name] = key.Str
		message := Object(value)["message"]
		if message.Type != gjson.String {
			delete(c, name)
			bad = fmt.Errorf("message %q has no text", clip(key.Str))
			return true
		}
		c[name] = strings.Clone(fill(message.Str, value)) // else it would keep the whole file in memory
		return true
	})
	return c, bad
}

// fill replaces the $name$ placeholders of a message. One that is not defined stays, and so does "$1".
func fill(message string, entry gjson.Result) string {
	if !strings.Contains(message, "$") {
		return message
	}
	contents := make(map[string]string)
	for name, placeholder := range Object(Object(entry)["placeholders"]) {
		if content := Object(placeholder)["content"]; content.Type == gjson.String {
			contents[lowerASCII(name)] = content.Str
		}
	}
	return substitute(message, "$", "$", func(name string) (string, bool) {
		content, ok := contents[name]
		return content, ok
	})
}

// substitute replaces begin+name+end by what value gives for the lower-case name; what it does not know stays. The
// replaced text is not looked at again (extensions/common/message_bundle.cc). The result is cut at maxText bytes.
func substitute(text, begin, end string, value func(name string) (string, bool)) string {
	if !strings.Contains(text, begin) {
		return text
	}
	var b strings.Builder
	for b.Len() <= maxText {
		before, rest, found := strings.Cut(text, begin)
		b.WriteString(before)
		if !found {
			break
		}
		name, after, closed := strings.Cut(rest, end)
		if !closed {
			b.WriteString(begin)
			b.WriteString(rest)
			break
		}
		if !isMessageName(name) {
			b.WriteString(begin)
			text = rest
			continue
		}
		replacement, ok := value(lowerASCII(name))
		if !ok {
			replacement = begin + name + end
		}
		b.WriteString(replacement)
		text = after
	}
	if b.Len() > maxText {
		return strings.ToValidUTF8(b.String()[:maxText], "")
	}
	return b.String()
}

// isMessageName holds what Chromium allows in the names of messages and placeholders.
func isMessageName(name string) bool {
	for i := range len(name) {
		c := name[i]
		if !('a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || c == '_' || c == '@') {
			return false
		}
	}
	return name != ""
}

// lowerASCII folds as Chromium does; strings.ToLower would fold other letters into ASCII ones too.
func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 0x20
		}
		return r
	}, s)
}
