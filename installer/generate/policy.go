package main

import (
	"encoding/xml"
	"fmt"
	"strings"

	"github.com/extwatch/extwatch/agent/settings"
)

// policyKey is where group policy writes, below HKEY_LOCAL_MACHINE; agent/settings reads it.
const policyKey = `SOFTWARE\Policies\ExtWatch`

// groupPolicy returns an administrative template with one policy for each setting, and its English texts.
func groupPolicy(options []settings.Option) (admx, adml string) {
	var policies, texts, forms strings.Builder
	text := func(id, value string) { fmt.Fprintf(&texts, "      <string id=%q>%s</string>\n", id, escape(value)) }
	for _, o := range options {
		name := o.PolicyName()
		text(name, o.Key)
		text(name+"_Help", help(o))
		fmt.Fprintf(&policies, "    <policy name=%[1]q class=\"Machine\" displayName=\"$(string.%[1]s)\" explainText=\"$(string.%[1]s_Help)\" key=\"%[2]s\"", name, policyKey)
		if o.Kind == settings.Bool {
			fmt.Fprintf(&policies, " valueName=%q", name)
		} else {
			fmt.Fprintf(&policies, " presentation=\"$(presentation.%s)\"", name)
		}
		fmt.Fprintf(&policies, ">\n      <parentCategory ref=\"ExtWatch\" />\n      <supportedOn ref=\"Any\" />\n")
		element, form := policyElement(o, text)
		policies.WriteString(element)
		policies.WriteString("    </policy>\n")
		if form != "" {
			fmt.Fprintf(&forms, "      <presentation id=%q>%s</presentation>\n", name, form)
		}
	}
	const head = `<?xml version="1.0" encoding="utf-8"?>` + "\n"
	const space = ` xmlns="http://schemas.microsoft.com/GroupPolicy/2006/07/PolicyDefinitions"`
	admx = head + `<policyDefinitions` + space + ` revision="1.0" schemaVersion="1.0">
  <policyNamespaces>
    <target prefix="extwatch" namespace="ExtWatch.Policies" />
  </policyNamespaces>
  <resources minRequiredRevision="1.0" />
  <supportedOn>
    <definitions>
      <definition name="Any" displayName="$(string.Any)" />
    </definitions>
  </supportedOn>
  <categories>
    <category name="ExtWatch" displayName="$(string.ExtWatch)" />
  </categories>
  <policies>
` + policies.String() + "  </policies>\n</policyDefinitions>\n"
	adml = head + `<policyDefinitionResources` + space + ` revision="1.0" schemaVersion="1.0">
  <displayName>ExtWatch</displayName>
  <description>Settings of ExtWatch</description>
  <resources>
    <stringTable>
      <string id="ExtWatch">ExtWatch</string>
      <string id="Any">Windows 10 and newer</string>
` + texts.String() + "    </stringTable>\n    <presentationTable>\n" + forms.String() + "    </presentationTable>\n  </resources>\n</policyDefinitionResources>\n"
	return admx, adml
}

// policyElement returns the part of a policy that holds its value, and the field for it in the editor.
func policyElement(o settings.Option, text func(id, value string)) (element, form string) {
	name := o.PolicyName()
	label := fmt.Sprintf("<label>%s</label>", escape(o.Key))
	switch o.Kind {
	case settings.Bool:
		return "      <enabledValue><decimal value=\"1\" /></enabledValue>\n      <disabledValue><decimal value=\"0\" /></disabledValue>\n", ""
	case settings.Number:
		return fmt.Sprintf("      <elements><decimal id=\"Value\" valueName=%q minValue=\"%d\" maxValue=\"%d\" /></elements>\n", name, o.Min, o.Max),
			fmt.Sprintf("<decimalTextBox refId=\"Value\" defaultValue=%q>%s</decimalTextBox>", o.Built, escape(o.Key))
	case settings.Choice:
		var items strings.Builder
		for i, c := range o.Choices {
			id := fmt.Sprintf("%s_%d", name, i)
			text(id, c)
			fmt.Fprintf(&items, "<item displayName=\"$(string.%s)\"><value><string>%s</string></value></item>", id, escape(c))
		}
		return fmt.Sprintf("      <elements><enum id=\"Value\" valueName=%q required=\"true\">%s</enum></elements>\n", name, items.String()),
			fmt.Sprintf("<dropdownList refId=\"Value\" noSort=\"true\" defaultItem=\"0\">%s</dropdownList>", escape(o.Key))
	}
	return fmt.Sprintf("      <elements><text id=\"Value\" valueName=%q required=\"true\" /></elements>\n", name),
		fmt.Sprintf("<textBox refId=\"Value\">%s<defaultValue>%s</defaultValue></textBox>", label, escape(o.Built))
}

// help is what the editor explains.
func help(o settings.Option) string {
	built := o.Built
	if built == "" {
		built = "nothing"
	}
	return o.Help + " Not configured: " + built + ". It wins over what the file of settings says."
}

func escape(s string) string {
	var b strings.Builder
	xml.EscapeText(&b, []byte(s)) // a strings.Builder takes everything
	return b.String()
}
