package flow

// builtCall is a method of what build tools and frameworks put around the code, known by its name and by what it is
// given; nil when it is none.
func (e *Engine) builtCall(f *activation, recv *value, name string, c call) *value {
	switch name {
	case "mark", "wrap", "async", "m", "w":
		return e.regenerated(f, name, c)
	case "useState", "useReducer", "useRef", "createRef", "useCallback", "useMemo", "useEffect", "useLayoutEffect":
		return e.hook(f, name, c)
	case "setState":
		return e.setState(f, recv, c)
	case "push":
		return e.chunk(f, c)
	case "e":
		return e.lateFile(f, recv, c)
	case "__awaiter":
		if len(recv.orEmpty().fns)+len(recv.orEmpty().paths) == 0 && len(c.args) == 4 && len(c.arg(3).orEmpty().fns) > 0 {
			return e.driveAwaiter(f, c)
		}
	case "__generator":
		if len(recv.orEmpty().paths) == 0 && len(c.args) == 2 && len(c.arg(1).orEmpty().fns) > 0 {
			return e.driveSteps(f, c)
		}
	}
	return nil
}
