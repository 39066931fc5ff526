package main

import (
	"encoding/xml"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"howett.net/plist"

	"github.com/extwatch/extwatch/agent/settings"
)

// A template is what of an ADMX file says which values group policy may write.
type template struct {
	XMLName  xml.Name `xml:"http://schemas.microsoft.com/GroupPolicy/2006/07/PolicyDefinitions policyDefinitions"`
	Policies []struct {
		Name         string   `xml:"name,attr"`
		Key          string   `xml:"key,attr"`
		ValueName    string   `xml:"valueName,attr"`
		Presentation string   `xml:"presentation,attr"`
		Enabled      *integer `xml:"enabledValue>decimal"`
		Disabled     *integer `xml:"disabledValue>decimal"`
		Elements     struct {
			All []struct {
				XMLName   xml.Name
				ID        string   `xml:"id,attr"`
				ValueName string   `xml:"valueName,attr"`
				Min       string   `xml:"minValue,attr"`
				Max       string   `xml:"maxValue,attr"`
				Items     []string `xml:"item>value>string"`
			} `xml:",any"`
		} `xml:"elements"`
	} `xml:"policies>policy"`
}

type integer struct {
	Value int `xml:"value,attr"`
}

// texts is the English half of it.
type texts struct {
	XMLName xml.Name `xml:"http://schemas.microsoft.com/GroupPolicy/2006/07/PolicyDefinitions policyDefinitionResources"`
	Strings []struct {
		ID   string `xml:"id,attr"`
		Text string `xml:",chardata"`
	} `xml:"resources>stringTable>string"`
	Forms []form `xml:"resources>presentationTable>presentation"`
}

type form struct {
	ID     string `xml:"id,attr"`
	Fields []struct {
		Ref string `xml:"refId,attr"`
	} `xml:",any"`
}

func (f form) refers(id string) bool { return len(f.Fields) == 1 && f.Fields[0].Ref == id }

// Each setting has one policy, and each value that the policy may write is one that the settings take.
func TestGroupPolicy(t *testing.T) {
	options := settings.Options()
	admx, adml := groupPolicy(options)
	var defs template
	var words texts
	wellFormed(t, admx, &defs)
	wellFormed(t, adml, &words)
	if len(defs.Policies) != len(options) {
		t.Fatalf("%d policies for %d settings", len(defs.Policies), len(options))
	}
	for i, p := range defs.Policies {
		o := options[i]
		if p.Name != o.PolicyName() || p.Key != `SOFTWARE\Policies\ExtWatch` {
			t.Errorf("%s: policy %s in %s", o.Key, p.Name, p.Key)
		}
		var values []string
		name := p.ValueName
		if o.Kind == settings.Bool {
			if p.Enabled == nil || p.Enabled.Value != 1 || p.Disabled == nil || p.Disabled.Value != 0 || p.Presentation != "" {
				t.Errorf("%s: %+v", o.Key, p)
			}
			values = []string{"true", "false"} // what agent/settings makes of 1 and 0
		} else {
			e := p.Elements.All[0]
			name = e.ValueName
			values = append(e.Items, e.Min, e.Max)
			if !slices.ContainsFunc(words.Forms, func(f form) bool { return p.Presentation == "$(presentation."+f.ID+")" && f.refers(e.ID) }) {
				t.Errorf("%s: no form %s", o.Key, p.Presentation)
			}
		}
		if name != o.PolicyName() {
			t.Errorf("%s: it writes the value %s", o.Key, name)
		}
		for _, v := range values {
			if v != "" {
				taken(t, settings.Managed{Name: name, Value: v, Place: "policy"})
			}
		}
	}
}

// All texts that the template names are there, each once, and none is left over.
func TestGroupPolicyTexts(t *testing.T) {
	admx, adml := groupPolicy(settings.Options())
	var words texts
	wellFormed(t, adml, &words)
	var have []string
	for _, s := range words.Strings {
		have = append(have, s.ID)
		if strings.TrimSpace(s.Text) == "" {
			t.Errorf("%s has no text", s.ID)
		}
	}
	var want []string
	for _, part := range strings.Split(admx, "$(string.")[1:] {
		id, _, _ := strings.Cut(part, ")")
		want = append(want, id)
	}
	slices.Sort(have)
	slices.Sort(want)
	if !slices.Equal(have, want) {
		t.Errorf("texts  %q\nwanted %q", have, want)
	}
}

// The texts of settings may hold what XML gives a meaning to.
func TestGroupPolicyEscapes(t *testing.T) {
	admx, adml := groupPolicy([]settings.Option{{Key: "a.b", Kind: settings.Choice, Built: "<", Choices: []string{"<", "&\""}, Help: "Less than < and &."}})
	var defs template
	wellFormed(t, admx, &defs)
	wellFormed(t, adml, &texts{})
	if got := defs.Policies[0].Elements.All[0].Items; !slices.Equal(got, []string{"<", "&\""}) {
		t.Errorf("choices: %q", got)
	}
}

// The values of the configuration profile are settings, as agent/settings reads them on a Mac: what a device management
// writes for a payload are its keys, without those that begin with "Payload".
func TestMobileConfig(t *testing.T) {
	var profile struct {
		PayloadContent []map[string]any
	}
	text := mobileConfig(settings.Options())
	wellFormed(t, text, nil)
	if _, err := plist.Unmarshal([]byte(text), &profile); err != nil {
		t.Fatal(err)
	}
	if len(profile.PayloadContent) != 2 {
		t.Fatalf("%d payloads", len(profile.PayloadContent))
	}
	payload := profile.PayloadContent[0]
	if payload["PayloadType"] != "com.extwatch.agent" { // the domain, and so the name of the file that agent/settings reads
		t.Errorf("the settings are for %v", payload["PayloadType"])
	}
	for _, o := range settings.Options() {
		value, ok := payload[o.PolicyName()]
		if ok != (o.Built != "") {
			t.Errorf("%s is there: %v", o.Key, ok)
		}
		if ok {
			taken(t, settings.Managed{Name: o.PolicyName(), Value: fmt.Sprint(value), Place: "profile"})
			delete(payload, o.PolicyName())
		}
	}
	for name := range payload {
		if !strings.HasPrefix(name, "Payload") {
			t.Errorf("there is no setting %s", name)
		}
	}
	if _, ok := profile.PayloadContent[1]["Services"].(map[string]any)["SystemPolicyAllFiles"]; !ok {
		t.Error("Full Disk Access is missing")
	}
}

// taken expects that the settings take a managed value, and know where it is from.
func taken(t *testing.T, m settings.Managed) {
	t.Helper()
	_, err := settings.Load(settings.Places{File: filepath.Join(t.TempDir(), "none"), Managed: func() []settings.Managed { return []settings.Managed{m} }})
	if err != nil {
		t.Errorf("%s = %q: %v", m.Name, m.Value, err)
	}
}

// wellFormed reads XML into v, strictly and to its end.
func wellFormed(t *testing.T, text string, v any) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatalf("no XML: %v", err)
		}
	}
	if v == nil {
		return
	}
	if err := xml.Unmarshal([]byte(text), v); err != nil {
		t.Fatal(err)
	}
}
