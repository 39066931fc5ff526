package dashboard

import (
	"testing"
	"time"
)

// What rules and the program say is told in Chinese; what an extension calls itself stays as it is.
func TestSaidInChinese(t *testing.T) {
	all, err := loadViews(time.Now)
	if err != nil {
		t.Fatal(err)
	}
	zh, en := all["zh-Hans"], all["en"]
	for _, test := range []struct {
		say        func(*views, string) string
		text, want string
	}{
		{(*views).say, "Sends cookies to a stranger", "把 Cookie 发送给陌生人"},
		{(*views).say, "Binance: Turn on the withdrawal address whitelist.", "Binance：开启提币地址白名单。"},
		{(*views).say, "A rule of yesterday", "A rule of yesterday"},
		{(*views).event, "Aggr: Sends cookies to a stranger", "Aggr: 把 Cookie 发送给陌生人"},
		{(*views).event, "reads cookies of x 1.0", "reads cookies of x 1.0"},
		{(*views).event, "Blocked by me 1.0", "Blocked by me 1.0"},
		{(*views).event, "block “Aggr”, by ada: it took: my words", "阻止“Aggr”（ada）：it took: my words"},
		{(*views).event, "no more trust “Aggr”, by ada", "取消信任“Aggr”（ada）"},
		{(*views).does, "reads cookies of binance.com", "读取 binance.com 的 Cookie"},
		{(*views).does, "reads foo: Remove the extension.", "读取 foo: Remove the extension."},
		{(*views).does, "JSON.stringify", "JSON.stringify"},
		{(*views).does, "x: Remove the extension.", "x: Remove the extension."},
	} {
		if got := test.say(zh, test.text); got != test.want {
			t.Errorf("%q is %q, not %q", test.text, got, test.want)
		}
		if got := test.say(en, test.text); got != test.text {
			t.Errorf("%q is %q in English", test.text, got)
		}
	}
}

func TestMixed(t *testing.T) {
	for name, want := range map[string]bool{
		"MetaMask": false, "MetaM\u0430sk": true, "Погода Weather": false, "\u039bedger": true, "币安 Binance": false, "ארנק MetaMask": false, "": false,
	} {
		var i item
		if i.Name = name; i.Mixed() != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
}
