// What is held against sites that no path is open to: a block without mail, after a restart or an edit of the
// rules. It is shown, counted and lifted like that of a path.
#pragma once

#include <functional>
#include <string>

#include "mx/limits/counter_key.h"
#include "mx/limits/standing.h"
#include "relay/admin/mx_order.h"
#include "relay/admin/mx_view.h"
#include "relay/flow/site_table.h"

namespace relay {

// Every standing that is not open and that no path holds. `key.names.site` is "*" when it is of all sites of
// a rule; `key.names.rule` is the one that decides there now, and takes over what was counted under another.
// In parts, see mx::LimiterTable::visit_detached(). O(counters) in all, and for each that is not open as much
// as it takes to find the rule of its site.
using UseDetached = std::function<void(const mx::CounterKey& key, mx::Standing& standing, bool superseded)>;
bool visit_detached(queue::SiteTable* sites, size_t* next, size_t most, const UseDetached& use);
// By rule or by site (a mask on its label or on one of its hosts); who names a domain means its path.
bool is_meant(const admin::MxOrder& order, const mx::CounterKey& key);
admin::PathView view_of(const mx::CounterKey& key, const mx::Standing& standing, conf::Instant now);

}  // namespace relay
