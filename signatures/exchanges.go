package signatures

import "slices"

// An Exchange is what the catalog tells about an exchange, for whoever shows it.
type Exchange struct {
	Slug     string   // "binance"
	Title    string   // "Binance"
	Domains  []string // each with all below it belongs to it
	Login    []string // links to the pages for signing in
	Response Response // what to do there, in order
}

// Exchanges returns the exchanges in the order of the catalog, and what to do on any other one.
func (rs *Ruleset) Exchanges() (list []Exchange, general Response) {
	for _, e := range rs.catalog.exchanges {
		list = append(list, Exchange{
			Slug: e.slug, Title: e.title, Domains: slices.Clone(e.domains), Login: slices.Clone(e.login),
			Response: Response{User: slices.Clone(e.response.User), Admin: slices.Clone(e.response.Admin)},
		})
	}
	g := rs.catalog.generic
	return list, Response{User: slices.Clone(g.User), Admin: slices.Clone(g.Admin)}
}
