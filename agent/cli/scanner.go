package cli

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/extwatch/extwatch/agent"
	"github.com/extwatch/extwatch/agent/browsers"
	"github.com/extwatch/extwatch/agent/inventory"
	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures"
	"github.com/extwatch/extwatch/signatures/behavior"
)

// A scanner lists extensions and judges them: readers on one side, judges on the other, as many as there are processors,
// with a short queue between them, so that a machine with 10,000 extensions never holds more than a few open.
type scanner struct {
	inventory *inventory.Reader
	rules     rulesets       // none: list only
	code      *agent.Analyst // nil: the code is not analysed
	progress  *progress

	jobs chan judged
	mu   sync.Mutex
	done []judged
	odd  []manifests.Problem

	found atomic.Int64
}

// profiles scans profiles. It returns what was found even when ctx ended.
func (s *scanner) profiles(ctx context.Context, profiles []browsers.Profile) ([]judged, []manifests.Problem) {
	return s.scan(func() {
		next := make(chan *browsers.Profile)
		var readers sync.WaitGroup
		for range min(runtime.NumCPU(), max(1, len(profiles))) {
			readers.Go(func() {
				for p := range next {
					s.profile(ctx, p)
				}
			})
		}
		for i := range profiles {
			select {
			case next <- &profiles[i]:
			case <-ctx.Done():
			}
		}
		close(next)
		readers.Wait()
	}, ctx)
}

func (s *scanner) profile(ctx context.Context, p *browsers.Profile) {
	listing, err := s.inventory.Read(ctx, *p)
	if err != nil {
		if ctx.Err() == nil {
			s.problems(manifests.Problem{Path: p.Dir, Reason: err.Error()})
		}
		return
	}
	s.problems(listing.Problems...)
	for _, e := range listing.Extensions {
		s.queue(ctx, judged{ext: e, profile: p})
	}
}

// paths scans folders and packages.
func (s *scanner) paths(ctx context.Context, paths []string) ([]judged, []manifests.Problem) {
	return s.scan(func() {
		for _, path := range paths {
			problems, err := s.inventory.ReadPath(ctx, path, func(e manifests.Extension) {
				s.queue(ctx, judged{ext: e, under: path})
			})
			s.problems(problems...)
			if err != nil && ctx.Err() == nil {
				s.problems(manifests.Problem{Path: path, Reason: err.Error()})
			}
		}
	}, ctx)
}

// scan runs the judges while read fills the queue.
func (s *scanner) scan(read func(), ctx context.Context) ([]judged, []manifests.Problem) {
	s.jobs = make(chan judged, 2*runtime.NumCPU())
	var judges sync.WaitGroup
	for range runtime.NumCPU() {
		judges.Go(func() {
			for j := range s.jobs {
				s.judge(ctx, j)
			}
		})
	}
	read()
	close(s.jobs)
	judges.Wait()
	return s.done, s.odd
}

func (s *scanner) queue(ctx context.Context, j judged) {
	s.progress.found(int(s.found.Add(1)))
	select {
	case s.jobs <- j:
	case <-ctx.Done():
	}
}

func (s *scanner) judge(ctx context.Context, j judged) {
	if len(s.rules) > 0 {
		result, code, err := judgeOne(ctx, s.rules, s.code, &j.ext)
		if err != nil {
			return // only when ctx ended: what was not judged is not shown
		}
		j.result, j.code = result, code
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done = append(s.done, j)
	s.progress.judged(len(s.done))
}

func (s *scanner) problems(p ...manifests.Problem) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.odd = append(s.odd, p...)
}

// judgeOne reads an extension's files and judges it. It fails only when ctx ends.
func judgeOne(ctx context.Context, rules rulesets, analyst *agent.Analyst, e *manifests.Extension) (result signatures.Result, code *behavior.Report, err error) {
	defer func() {
		// The last line of defence: an extension that finds a mistake in our code must not hide the others.
		if r := recover(); r != nil {
			reason := fmt.Sprintf("the analysis itself failed (%v): please report this", r)
			result = signatures.Result{Verdict: signatures.Unreadable, Problems: []manifests.Problem{{Path: e.Path, Reason: reason}}}
		}
	}()
	read, problem := make([]*signatures.Contents, len(rules)), error(nil)
	for i, rs := range rules {
		if ctx.Err() != nil || e.Open == nil {
			break
		}
		if read[i], err = contents(ctx, rs, e); err != nil {
			problem = err // manifest and indicators still speak
			break
		}
	}
	if analyst != nil && ctx.Err() == nil {
		var unknown error
		if code, unknown = analyst.Analyze(ctx, e, read[0]); problem == nil {
			problem = unknown
		}
	}
	if ctx.Err() != nil {
		return signatures.Result{}, nil, ctx.Err()
	}
	for i, rs := range rules {
		one := rs.Judge(signatures.Input{Extension: e, Contents: read[i], Behavior: code})
		if i > 0 {
			one = merge(result, one)
		}
		result = one
	}
	if problem != nil {
		result.Problems = append(result.Problems, manifests.Problem{Path: e.Path, Reason: problem.Error()})
	}
	return result, code, nil
}

// contents reads the files of an extension.
func contents(ctx context.Context, rs *signatures.Ruleset, e *manifests.Extension) (*signatures.Contents, error) {
	files, err := e.Open()
	if err != nil {
		return nil, fmt.Errorf("open its files: %w", err)
	}
	defer files.Close()
	c, err := rs.Read(ctx, files)
	if err != nil {
		return nil, fmt.Errorf("read its files: %w", err)
	}
	return c, nil
}
