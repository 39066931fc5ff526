package agent

import (
	"container/list"
	"context"
	"maps"
	"weak"

	"github.com/extwatch/extwatch/signatures/behavior"
)

const (
	// keptBytes bounds the memory of reports that are kept beyond those in use. A report takes some ten kilobytes; a thief can
	// make one of megabytes.
	keptBytes = 16 << 20
	// sweepFrom is how many reports are known when those that nobody uses any more are first looked for.
	sweepFrom = 1024
)

// A Memory keeps reports by the content that they are about and the version of the program that made them. What is put
// may be forgotten at any time; an error is not the caller's concern, who analyses anew. It is used from many goroutines.
type Memory interface {
	GetAnalysis(ctx context.Context, content, engine string) *behavior.Report // nil when there is none
	PutAnalysis(ctx context.Context, content, engine string, report *behavior.Report)
}

// recent keeps the reports used last, in memory, and knows those that others still use: a scan holds all of its reports until it
// has told them, so there each content is analysed once however many there are. Its user locks it.
type recent struct {
	most  int // bytes
	used  int
	items map[string]*list.Element
	order list.List // the one used last is in front

	shared map[string]weak.Pointer[behavior.Report]
	sweep  int // how many of them there may be until the dead ones are taken out
}

type recentItem struct {
	key    string
	report *behavior.Report
	size   int
}

func newRecent(most int) *recent {
	return &recent{most: most, items: map[string]*list.Element{}, shared: map[string]weak.Pointer[behavior.Report]{}, sweep: sweepFrom}
}

func (r *recent) get(key string) *behavior.Report {
	e := r.items[key]
	if e == nil {
		return r.shared[key].Value()
	}
	r.order.MoveToFront(e)
	item, _ := e.Value.(recentItem)
	return item.report
}

func (r *recent) put(key string, report *behavior.Report) {
	r.share(key, report)
	size := sizeOf(report) + len(key)
	if r.items[key] != nil || size > r.most/4 { // a giant must not push out all others
		return
	}
	r.items[key] = r.order.PushFront(recentItem{key, report, size})
	for r.used += size; r.used > r.most; {
		last := r.order.Back()
		item, _ := r.order.Remove(last).(recentItem)
		delete(r.items, item.key)
		r.used -= item.size
	}
}

// share makes a report known for as long as somebody uses it.
func (r *recent) share(key string, report *behavior.Report) {
	r.shared[key] = weak.Make(report)
	if len(r.shared) < r.sweep {
		return
	}
	maps.DeleteFunc(r.shared, func(_ string, p weak.Pointer[behavior.Report]) bool { return p.Value() == nil })
	r.sweep = max(sweepFrom, 2*len(r.shared))
}

// sizeOf estimates the memory of a report.
func sizeOf(r *behavior.Report) int {
	const record, step, text = 160, 96, 16 // about what the structures take without their texts
	size := record
	for i := range r.Calls {
		size += record + len(r.Calls[i].API)
		for _, a := range r.Calls[i].Args {
			size += text + len(a)
		}
	}
	for i := range r.Flows {
		f := &r.Flows[i]
		size += record + len(f.From) + len(f.Host)
		for j := range f.Steps {
			size += step + len(f.Steps[j].What) + len(f.Steps[j].Code)
		}
	}
	for i := range r.Contacts {
		size += record + len(r.Contacts[i].Host)
	}
	for _, s := range r.Strings {
		size += text + len(s)
	}
	for i := range r.Obfuscation {
		size += record + len(r.Obfuscation[i].Text)
	}
	for i := range r.Problems {
		size += record + len(r.Problems[i].Reason)
	}
	return size
}
