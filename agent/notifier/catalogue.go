package notifier

import (
	"embed"
	"fmt"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/extwatch/extwatch/signatures"
)

//go:embed words/*.yml
var wordFiles embed.FS

// fallback is the language that is complete by definition.
const fallback = "en"

// A catalogue holds the messages of one language.
type catalogue struct {
	Tag      string            `yaml:"tag"`
	Messages map[string]string `yaml:"messages"`
	Words    string            `yaml:"words"` // the tag of the words for what rules say, which is English

	words signatures.Words
}

// Languages returns the tags of the languages that warnings are written in, sorted.
func Languages() []string {
	files, _ := wordFiles.ReadDir("words") // compiled in
	var tags []string
	for _, f := range files {
		tags = append(tags, strings.TrimSuffix(f.Name(), path.Ext(f.Name())))
	}
	slices.Sort(tags)
	return tags
}

// language returns the catalogue for the first wish that there is one for: a tag ("zh-CN", "zh-Hans-SG") or a locale
// ("zh_CN.UTF-8"). Otherwise it is English.
func language(wishes ...string) catalogue {
	for _, wish := range wishes {
		if tag := match(wish); tag != "" {
			if c, err := readCatalogue(tag); err == nil {
				return c
			}
		}
	}
	c, _ := readCatalogue(fallback) // compiled in; a test reads it
	return c
}

// match finds the language of a tag or locale: the same one, or the first that begins alike. Chinese in traditional
// letters is not matched to the simplified ones: English is read more easily than the wrong letters are trusted.
func match(wish string) string {
	wish, _, _ = strings.Cut(wish, ".")
	wish, _, _ = strings.Cut(wish, "@")
	parts := strings.FieldsFunc(strings.ToLower(wish), func(r rune) bool { return r == '_' || r == '-' })
	if len(parts) == 0 {
		return ""
	}
	if parts[0] == "zh" && slices.ContainsFunc(parts[1:], func(p string) bool {
		return p == "tw" || p == "hk" || p == "mo" || p == "hant"
	}) {
		return ""
	}
	var near string
	for _, tag := range Languages() {
		if strings.EqualFold(tag, strings.Join(parts, "-")) {
			return tag
		}
		if base, _, _ := strings.Cut(strings.ToLower(tag), "-"); base == parts[0] && near == "" {
			near = tag
		}
	}
	return near
}

func readCatalogue(tag string) (catalogue, error) {
	var c catalogue
	data, err := wordFiles.ReadFile("words/" + tag + ".yml")
	if err == nil {
		err = yaml.Unmarshal(data, &c)
	}
	if err == nil && c.Words != "" {
		c.words, err = signatures.ReadWords(c.Words)
	}
	if err != nil {
		return c, fmt.Errorf("read the words in %s: %w", tag, err)
	}
	return c, nil
}

// say fills a message: pairs are placeholder, value. All are filled at once, so that a value cannot hold a placeholder.
func (c catalogue) say(key string, pairs ...string) string {
	for i := 0; i < len(pairs); i += 2 {
		pairs[i] = "{" + pairs[i] + "}"
	}
	return strings.NewReplacer(pairs...).Replace(c.Messages[key])
}
