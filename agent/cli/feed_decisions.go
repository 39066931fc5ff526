package cli

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/extwatch/extwatch/manifests"
)

// A decision is an entry of decisions.yml: what the organisation thinks of one extension.
type decision struct {
	Action    string   `yaml:"action"` // block or trust
	ID        string   `yaml:"id"`
	Browser   []string `yaml:"browser,omitempty,flow"`
	Versions  []string `yaml:"versions,omitempty,flow"`
	Reason    string   `yaml:"reason"`
	Owner     string   `yaml:"owner"`
	Until     string   `yaml:"until,omitempty"`
	Overrides []string `yaml:"overrides,omitempty,flow"` // campaigns and rules that a trust overrides
}

// wrong says what is wrong with a decision.
func (d *decision) wrong() error {
	switch {
	case d.Action != "block" && d.Action != "trust":
		return fmt.Errorf("action: %q is neither block nor trust", d.Action)
	case !manifests.ValidID(d.ID) && !strings.Contains(d.ID, "@") && !strings.HasPrefix(d.ID, "{"):
		return fmt.Errorf("id: %q is neither 32 letters a to p nor a Firefox add-on ID", d.ID)
	case strings.TrimSpace(d.Reason) == "":
		return errors.New("reason is missing")
	case strings.TrimSpace(d.Owner) == "":
		return errors.New("owner is missing: whom to ask")
	case d.Action == "trust" && d.Until == "":
		return errors.New("trust needs an end: until: 2027-01-31")
	case d.Action == "block" && len(d.Overrides) > 0:
		return errors.New("a block overrides nothing")
	}
	if d.Until != "" {
		if _, err := time.Parse(time.DateOnly, d.Until); err != nil {
			return fmt.Errorf("until: %q is no date like 2027-01-31", d.Until)
		}
	}
	return nil
}

// decisionList finds the list in the file's tree, nil without.
func decisionList(root *yaml.Node) *yaml.Node {
	if len(root.Content) == 0 || root.Content[0].Kind != yaml.MappingNode {
		return nil
	}
	m := root.Content[0]
	for i := 0; i+1 < len(m.Content); i += 2 {
		if m.Content[i].Value == "decisions" && m.Content[i+1].Kind == yaml.SequenceNode {
			return m.Content[i+1]
		}
	}
	return nil
}

const decisionsHead = `# What this organisation thinks of single extensions. docs/publishing.md explains each key.
decisions: []
`

// addDecision puts a decision into the text of a file, and keeps its comments.
func addDecision(text []byte, d decision) ([]byte, error) {
	if len(bytes.TrimSpace(text)) == 0 {
		text = []byte(decisionsHead)
	}
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		return nil, err
	}
	list := decisionList(&root)
	if list == nil {
		return nil, errors.New("it has no list named decisions")
	}
	for _, n := range list.Content {
		var other decision
		if n.Decode(&other) == nil && strings.EqualFold(other.ID, d.ID) {
			return nil, fmt.Errorf("line %d decides of %s already", n.Line, d.ID)
		}
	}
	var n yaml.Node
	if err := n.Encode(d); err != nil {
		return nil, err
	}
	list.Style = 0
	list.Content = append(list.Content, &n)
	return encodeYAML(&root)
}

// removeDecision takes the decisions about an ID out of the text, and says how many there were.
func removeDecision(text []byte, id string) ([]byte, int, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		return nil, 0, err
	}
	list := decisionList(&root)
	if list == nil {
		return text, 0, nil
	}
	var kept []*yaml.Node
	for _, n := range list.Content {
		var d decision
		if n.Decode(&d) != nil || !strings.EqualFold(d.ID, id) {
			kept = append(kept, n)
		}
	}
	gone := len(list.Content) - len(kept)
	if list.Content = kept; len(kept) == 0 {
		list.Style = yaml.FlowStyle
	}
	text, err := encodeYAML(&root)
	return text, gone, err
}

func encodeYAML(root *yaml.Node) ([]byte, error) {
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(root); err != nil {
		return nil, err
	}
	return b.Bytes(), enc.Close()
}
