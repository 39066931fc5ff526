package dashboard

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
)

// ruleTexts are what rules say, in another language than theirs, which is English. What is missing is shown in English: a
// rule that came with the feed yesterday has no translation, and is understood all the same.
type ruleTexts struct {
	Titles map[string]string `json:"titles"` // by the rule's name
	Steps  map[string]string `json:"steps"`  // by the English text: the same step stands in many rules
}

func loadRuleTexts(lang string) (r ruleTexts, err error) {
	data, err := fs.ReadFile(embedded, "texts/rules."+lang+".json")
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &r)
	}
	if err != nil {
		return r, fmt.Errorf("read the texts of rules in %s: %w", lang, err)
	}
	return r, nil
}

// title is a rule's title; english is its own.
func (r ruleTexts) title(rule, english string) string { return cmp.Or(r.Titles[rule], english) }

// step is a step of what to do now.
func (r ruleTexts) step(english string) string { return cmp.Or(r.Steps[english], english) }
