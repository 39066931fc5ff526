// Package flow follows what data an extension reads to where it goes: through variables, functions, messages between its
// scripts and its storage. It walks through syntax trees and runs nothing.
package flow

import (
	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures/behavior"
	"github.com/extwatch/extwatch/signatures/behavior/fold"
	"github.com/extwatch/extwatch/signatures/behavior/markup"
	"github.com/extwatch/extwatch/signatures/behavior/parties"
	"github.com/tdewolff/parse/v2/js"
)

// A budget bounds the work on one extension.
type budget struct {
	steps int // expressions and statements that are looked at, over all scripts and repetitions
	task  int // the same for one script's top level or one listener, so that one bundle cannot eat all
}

// defaultBudget holds a 10 MB bundle (about three million nodes) once and a half; measured 5 to 10 million steps a second.
var defaultBudget = budget{steps: 6_000_000, task: 4_000_000}

const (
	callDepth    = 150  // calls within calls; webpack's modules require each other in chains of that length
	nestingLimit = 9000 // expressions and statements within each other, all frames together: bounds the Go stack
	maxRuns      = 40   // runs of one function with arguments of its own; then all further calls are joined
	maxOtherRuns = 16   // the same where the arguments are neither constants nor data of a source
	maxTextRuns  = 400  // the same where all arguments are constants (a require of module numbers)
	maxMet       = 1000 // closures of one function that run once without arguments in any case: bundlers wrap each module in one
	maxTaskRuns  = 8    // repetitions of one listener because of what others stored
)

// An Engine walks through all scripts of an extension as if it ran them, with values that stand for all that may be.
// Both branches of a condition are taken unless it is constant; what cannot be seen is "anything".
type Engine struct {
	hotVars  map[*js.Var]bool
	hotNames map[string]bool
	curves   map[*Script]bool // whether they hold the constants of a curve
	tainted  int              // taints made so far
	searches int              // for what flows in objects; objects know the last one
	met      int              // objects in this search
	m        *manifests.Manifest
	scripts  []*Script
	limit    budget
	fold     func(u *Script, x js.IExpr) (any, bool) // constants of pure code; nil when there is no folder
	folders  map[*Script]*fold.Folder
	late     func() bool // the time is up; may be nil
	steps    int
	taskEnd  int // steps at which the running task is stopped
	nesting  int
	depth    int
	ids      int
	version  int                       // counts what cells have grown
	wholes   [256]wholeValue           // what objects held, by the end of their numbers
	shown    int                       // values within the arguments of one call that were made text
	over     bool                      // the budget is spent
	cut      bool                      // a task was stopped
	fields   map[string][]markup.Field // of the HTML pages of the package
	written  map[string][]markup.Field // what scripts write into pages, by the script
	asked    int                       // modules that run because others ask for them
	building map[building]bool
	uncalled bool // what runs now are functions that nothing calls
	tampers  bool // something goes through code that stands between a page and its server or wallet

	codes   map[js.INode]*code
	made    []*closure // all closures in the order of their creation
	dirty   []*entry   // runs to be done again
	queue   []*job
	pruned  []leftover
	heats   map[js.INode]heat
	visited map[js.INode]bool  // branches that were taken
	globals map[string]*object // per kind of context
	modules map[string]*moduleState
	links   *channels
	clients map[*object]*value // what was made with an address, by code that is known
	guess   bool               // what is found now is told by the form of a call alone
	parties *parties.Table
	folds   map[js.INode]*foldTries
	jsons   map[js.INode][]*object // what calls of JSON.stringify made texts of
	texts   map[string]*value      // of string literals and numbers as they are written
	names   map[string]*value      // of members
	paths   map[string]*value
	out     collection

	wordTest wordTest
}

// A job is something that the browser starts: a script, a listener, a timer, a function that nobody calls.
type job struct {
	u      *Script
	run    func(f *activation)
	entry  *entry
	queued bool
	early  bool // it has run before its turn in the queue came
	again  bool // and has to run then all the same
	runs   int
}

// A leftover is a branch that a constant condition excluded. It is looked at in the end all the same: what a condition
// is may be decided by something that the engine does not see.
type leftover struct {
	f    *activation
	stmt js.IStmt
	expr js.IExpr
}

type moduleState struct {
	exports *object
	common  *object // of CommonJS: what module stands for
	require *closure
	task    *job
}

// An Input is what the engine needs of an extension.
type Input struct {
	Manifest *manifests.Manifest // nil when there is none
	Scripts  []*Script
	Fields   map[string][]markup.Field // of its HTML pages, by their paths
	Late     func() bool               // whether the time is up; may be nil
}

// New returns an engine for an extension, which folds what pure code makes.
func New(in Input) *Engine {
	e := newEngine(in.Manifest, in.Scripts, defaultBudget)
	e.fields, e.late = in.Fields, in.Late
	e.useFolders()
	return e
}

func newEngine(m *manifests.Manifest, scripts []*Script, limit budget) *Engine {
	if m == nil {
		m = &manifests.Manifest{}
	}
	e := &Engine{
		m: m, scripts: scripts, limit: limit,
		codes: map[js.INode]*code{}, heats: map[js.INode]heat{}, hotVars: map[*js.Var]bool{}, hotNames: map[string]bool{}, curves: map[*Script]bool{}, visited: map[js.INode]bool{}, globals: map[string]*object{},
		modules: map[string]*moduleState{}, building: map[building]bool{}, folds: map[js.INode]*foldTries{}, jsons: map[js.INode][]*object{},
		texts: map[string]*value{}, names: map[string]*value{}, paths: map[string]*value{},
		parties: parties.New(m), links: newChannels(),
	}
	e.out.init()
	return e
}

// Run looks at everything. What it found is in report.
func (e *Engine) Run() {
	for _, u := range e.scripts {
		if u.AST == nil {
			continue
		}
		e.warm(u)
		if u.Module {
			e.moduleOf(u)
		} else {
			e.startScript(u)
		}
		e.unpack(u)
	}
	e.drain()
	e.uncalled = true
	n := e.runUnreached(0)
	e.uncalled = false
	for n := 0; n < len(e.pruned) && !e.over; n++ {
		e.runLeftover(e.pruned[n])
		e.drain()
	}
	e.runUnreached(n) // those that the leftovers made
}

// runUnreached runs the functions from number n on that nothing calls, and says up to which it came. What one of them
// changes is told to the others after a batch, so that a function which reads the work of many runs again once, not once
// for each.
func (e *Engine) runUnreached(n int) int {
	const batch = 400
	for ; n < len(e.made) && !e.over; n++ {
		if c := e.made[n]; !c.info.executed && !e.useless(c.info) {
			e.startUnreached(c)
			e.runQueue()
		}
		if n%batch == batch-1 || n == len(e.made)-1 {
			e.drain()
		}
	}
	return n
}

// runQueue runs what was started, without repeating what that changes.
func (e *Engine) runQueue() {
	for len(e.queue) > 0 && !e.over {
		e.runNext()
	}
}

func (e *Engine) runNext() {
	t := e.queue[0]
	e.queue = e.queue[1:]
	t.queued = false
	skip := t.early && !t.again
	if t.early, t.again = false, false; skip {
		return
	}
	t.runs++
	e.runTask(t)
}

func (e *Engine) start(u *Script, run func(f *activation)) *job {
	t := &job{u: u, run: run}
	t.entry = &entry{task: t}
	e.enqueue(t)
	return t
}

func (e *Engine) enqueue(t *job) {
	t.again = t.queued
	if t.queued || t.runs >= maxTaskRuns {
		return
	}
	t.queued = true
	e.queue = append(e.queue, t)
}

func (e *Engine) drain() {
	for !e.over {
		if len(e.dirty) > 0 {
			en := e.dirty[0]
			e.dirty = e.dirty[1:]
			en.queued = false
			e.taskEnd = e.steps + e.limit.task
			e.nesting, e.depth = 0, 0
			e.execute(en)
			continue
		}
		if len(e.queue) == 0 {
			return
		}
		e.runNext()
	}
}

func (e *Engine) runTask(t *job) {
	e.taskEnd = e.steps + e.limit.task
	e.nesting, e.depth = 0, 0
	f := &activation{u: t.u, entry: t.entry, env: t.entry.env}
	t.run(f)
	if e.steps >= e.taskEnd {
		e.cut = true
	}
}

// spent counts a step, and says whether the work has to stop.
func (e *Engine) spent() bool {
	e.steps++
	if e.steps < e.taskEnd {
		if e.steps&0xfff == 0 && e.late != nil && e.late() {
			e.over, e.taskEnd = true, 0
			return true
		}
		return false
	}
	if e.steps >= e.limit.steps {
		e.over = true
	}
	return true
}

func (e *Engine) startScript(u *Script) {
	e.start(u, func(f *activation) {
		if f.entry.env == nil {
			f.entry.env = e.newEnv(nil)
			f.env = f.entry.env
		}
		f.this = pathValue("window")
		e.hoist(f, &u.AST.BlockStmt)
		e.share(f, u)
		e.statements(f, u.AST.List)
	})
}

// share lets other classic scripts of the same global object see the variables of this one.
func (e *Engine) share(f *activation, u *Script) {
	g := e.global(u)
	for _, v := range u.AST.Declared {
		if c := f.env.own(v); c != nil {
			c.home = nil // others may write it at any time
			name := string(v.Data)
			if old := g.field(name); old != nil && old != c {
				e.grow(c, old.ever)
				c.now = join(c.now, old.ever)
				f.env.put(v, old)
				e.grow(old, c.ever)
				old.now = join(old.now, c.now)
				continue
			}
			if g.field(name) == nil && len(g.keys) < maxFields {
				g.add(name, c)
			}
		}
	}
}

// global is the object of global variables that the script shares with others of its kind.
func (e *Engine) global(u *Script) *object {
	key := string(u.Context) + u.World
	if u.Context == behavior.Popup {
		key += u.Page
	}
	g := e.globals[key]
	if g == nil {
		g = e.newObject("global")
		e.globals[key] = g
	}
	return g
}

func (e *Engine) newEnv(parent *env) *env {
	e.ids++
	return &env{parent: parent, id: e.ids}
}

func (e *Engine) startUnreached(c *closure) {
	e.start(c.u, func(f *activation) {
		k := call{node: c.info.node, name: c.info.name, args: e.unknownArgs(c)}
		if c.info.class != nil {
			e.instance(f, c, k)
			c.info.executed = true
			return
		}
		if c.home != nil {
			k.this = objectValue(c.home)
		}
		e.callClosure(f, c, k)
	})
}

// unknownArgs are one "anything" for each parameter, so that the run counts as its own.
func (e *Engine) unknownArgs(c *closure) []*value {
	if c.info.params == nil {
		return nil
	}
	args := make([]*value, len(c.info.params.List))
	for i := range args {
		args[i] = anything
	}
	return args
}

func (e *Engine) runLeftover(l leftover) {
	node := js.INode(l.stmt)
	if l.stmt == nil {
		node = l.expr
	}
	if e.visited[node] {
		return
	}
	e.visited[node] = true
	e.start(l.f.u, func(*activation) {
		f := *l.f
		f.cond++
		if l.stmt != nil {
			e.statement(&f, l.stmt)
		} else {
			e.eval(&f, l.expr)
		}
	})
}

func (e *Engine) prune(f *activation, stmt js.IStmt, expr js.IExpr) {
	const maxLeftovers = 20000
	if len(e.pruned) < maxLeftovers {
		e.pruned = append(e.pruned, leftover{f, stmt, expr})
	}
}
