package agent

import (
	"context"
	"errors"
	"io/fs"
	"slices"

	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures"
	"github.com/extwatch/extwatch/signatures/behavior"
)

// analysts is how many extensions are analysed at the same time, beside those that are read.
const analysts = 2

// A code is what one version's code does. The version after it holds it as well, as what was before.
type code struct {
	asked  bool             // it has been analysed, or waits for that
	digest string           // of the files
	report *behavior.Report // nil until it has been analysed
}

// known returns the report of a code that may be nil.
func (c *code) known() *behavior.Report {
	if c == nil {
		return nil
	}
	return c.report
}

// A study is to say what the code of an extension does, and then that.
type study struct {
	known    *known
	ext      *manifests.Extension
	code     *code
	stamp    string
	contents *signatures.Contents
	arrived  bool // it was not there when the agent started

	report *behavior.Report
	err    error
}

// study lets an extension's code be analysed, unless it is known what it does. Who arrives goes before what was there.
func (r *run) study(k *known, e *manifests.Extension, c *code, got content) {
	if r.cfg.Analyst == nil || e.Origin == manifests.OriginBuiltin || c.asked {
		return
	}
	c.asked, c.digest = true, got.contents.Digest
	s := &study{known: k, ext: e, code: c, stamp: got.stamp, contents: got.contents}
	if s.arrived = r.ready; s.arrived {
		r.studies = slices.Insert(r.studies, 0, s)
	} else {
		r.studies = append(r.studies, s)
	}
}

// nextStudy is the place of the analysis to begin next: extensions that reach an exchange come first, and of those that
// were there at the start, one of the user whose turn it is: whoever reads for 200 users in turn starts over each time.
func (r *run) nextStudy() int {
	reaches := func(s *study) bool { return s.ext.Enabled && len(s.known.result.Reach) > 0 }
	first := slices.IndexFunc(r.studies, reaches)
	if first >= 0 && r.studies[first].arrived || first < 0 && r.studies[0].arrived {
		return max(0, first)
	}
	same := slices.IndexFunc(r.studies, func(s *study) bool {
		return (first < 0 || reaches(s)) && !s.arrived && s.known.profile.User.Home == r.turn
	})
	return max(0, first, same)
}

// startStudies begins as many analyses as may run at once.
func (r *run) startStudies(ctx context.Context) {
	for r.studying < analysts && len(r.studies) > 0 {
		i := r.nextStudy()
		s := r.studies[i]
		r.studies = slices.Delete(r.studies, i, i+1)
		r.turn = s.known.profile.User.Home
		if s.known.gone || !r.wanted(s) {
			continue
		}
		r.studying++
		r.goroutines.Go(func() {
			err := r.protect("analysing "+s.ext.Path, func() { s.report, s.err = r.cfg.Analyst.analyze(ctx, s.ext, s.contents, s.stamp) })
			if err != nil {
				s.err = err
			}
			select {
			case r.studied <- s:
			case <-ctx.Done():
			}
		})
	}
}

// wanted reports whether anything is judged by what a study finds out: as what the code does, or as what it did before.
func (r *run) wanted(s *study) bool {
	for _, k := range s.known.profile.known {
		if k.code == s.code || k.oldCode == s.code {
			return true
		}
	}
	return false
}

// analyzed judges by what the code does, and tells what that adds.
func (r *run) analyzed(s *study) {
	r.studying--
	problem := manifests.Problem{Path: s.ext.Path, Reason: "what its code does is not known"}
	if s.err != nil || s.report == nil {
		s.code.asked = false // the next sweep tries again
		if k := s.known; k.retell && !k.gone && k.code == s.code {
			k.retell = false
			r.tell(Judged, k)
		}
		if s.err != nil && !s.known.gone && !errors.Is(s.err, fs.ErrNotExist) {
			problem.Reason += ": " + s.err.Error()
			r.untell(s.known.unstudied)
			s.known.unstudied = problem
			r.problem(problem, s.known.profile.Profile, r.cfg.Now())
		}
		return
	}
	r.untell(s.known.unstudied)
	s.known.unstudied = manifests.Problem{}
	s.code.report = s.report
	for _, k := range s.known.profile.known {
		if k.code != s.code && k.oldCode != s.code {
			continue
		}
		k.at = r.cfg.Now()
		r.judge(k)
		r.warn(k)
		if k.code == s.code {
			k.retell = false
			r.tell(Judged, k)
		}
	}
}
