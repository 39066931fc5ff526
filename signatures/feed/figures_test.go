package feed

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// What an agent costs a mirror: a feed of 160 rules of 3 KB, an indicator segment of 4 MB and an organisation's own rules.
// The log has the figures of docs/attack-surface.md; the limits here keep them true.
func TestLoad(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	for i := range 160 {
		r.put(fmt.Sprintf("techniques/t%03d.yml", i), strings.Repeat(fmt.Sprintf("rule %03d ", i), 340))
	}
	for i := range 10 {
		r.put(fmt.Sprintf("org/campaigns/o%d.yml", i), strings.Repeat(fmt.Sprintf("own %d ", i), 300))
	}
	r.put("indicators/segments/1-extensions.seg", strings.Repeat("0123456789abcdef", 1<<18))
	r.publish()
	f := r.open()
	count := func(what string, mostRequests int, mostBytes int64) (int, int64) {
		requests, sent := len(r.requests), r.sent
		t.Logf("%-28s %3d requests %8d bytes of bodies", what, requests, sent)
		if requests > mostRequests || sent > mostBytes {
			t.Errorf("%s: at most %d requests and %d bytes are wanted", what, mostRequests, mostBytes)
		}
		r.reset()
		return requests, sent
	}
	r.reset()
	r.wantUpdate(f)
	count("first update", 180, 5<<20)

	poll := func() {
		if u, err := f.Update(t.Context()); err != nil || u.Changed {
			t.Fatalf("%+v, %v", u, err)
		}
	}
	poll()
	requests, _ := count("poll, nothing new", 2, 0)

	r.answer = func(name string, req *http.Request) *http.Response { // a mirror that knows no ETag
		req.Header.Del("If-None-Match")
		return nil
	}
	poll()
	_, sent := count("the same without ETag", 2, 1000)

	r.signTimestamp()
	poll()
	count("timestamp signed anew", 2, 1000)

	r.put("techniques/t007.yml", strings.Repeat("new rule ", 340))
	r.publish()
	r.wantUpdate(f)
	count("one rule of 3 KB changed", 6, 60<<10)

	r.put("indicators/segments/2-extensions.seg", strings.Repeat("x", 4000))
	r.publish()
	r.wantUpdate(f)
	_, delta := count("100 indicators more", 6, 100<<10)

	const agents, polls = 100_000, 96
	t.Logf("%d agents, %d polls a day: %d requests a day, %d a second on average, %d GB a day if no ETag is known",
		agents, polls, agents*polls*requests, agents*polls*requests/86400, agents*polls*sent>>30)
	t.Logf("a change reaches %d agents with %d MB", agents, agents*delta>>20)
}

func BenchmarkPoll(b *testing.B) {
	f := newRepo(b).client()
	for b.Loop() {
		if _, err := f.Update(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
