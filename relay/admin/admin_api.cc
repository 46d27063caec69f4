#include "relay/admin/admin_api.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <unordered_map>

#include "conf/standard_error.h"
#include "relay/admin/census_json.h"
#include "relay/admin/metrics_text.h"
#include "relay/admin/mx_json.h"
#include "relay/admin/near_names.h"
#include "relay/admin/order.h"
#include "relay/admin/queue_json.h"

namespace relay::admin {
namespace {

using nlohmann::json;

constexpr size_t kDefaultLimit = 100;
constexpr size_t kMaxLimit = 10'000;  // rows of one answer: a few megabytes
constexpr size_t kDefaultGroups = 50;
constexpr size_t kMaxGroups = 10'000;

constexpr std::string_view kReload = "/v1/reload";
constexpr std::chrono::seconds kReloadLimit(30);  // keys and rules are read from files

constexpr std::string_view kMessages = "/v1/queue/messages";
constexpr std::string_view kContent = "/content";  // after a message and its id
constexpr std::string_view kTexts = "/v1/queue/texts";
constexpr size_t kMostTexts = 50'000;  // different ones of one answer

const QueueAction* action_of(const std::string& path) {
  static const std::map<std::string, QueueAction, std::less<>> kActions = {
      {"/v1/queue/retry", QueueAction::kRetry},
      {"/v1/queue/hold", QueueAction::kHold},
      {"/v1/queue/release", QueueAction::kRelease},
      {"/v1/queue/drop", QueueAction::kDrop},
      {"/v1/queue/fail", QueueAction::kFail}};
  const auto found = kActions.find(path);
  return found == kActions.end() ? nullptr : &found->second;
}

// What the operator may have meant.
void add_slip(const QueueFilter& filter, spool::Spool* spool, json* out) {
  if (const std::string slip = slip_in(filter, spool); !slip.empty()) (*out)["hint"] = slip;
}

bool is_read_path(const std::string& path) {
  return path == "/v1/health" || path == "/metrics" || path == "/v1/queue/summary" || path == kTexts ||
         path.compare(0, kMessages.size(), kMessages) == 0;
}

}  // namespace

AdminApi::AdminApi(spool::Spool* spool, Backend* backend, LoopCall::Post post,
                   std::chrono::milliseconds limit)
    : spool_(spool),
      backend_(backend),
      loop_(std::move(post), limit),
      search_(spool, backend, &loop_),
      mx_(backend, &loop_) {}

Response AdminApi::handle(const Request& request) {
  if (MxApi::serves(request.path)) return mx_.handle(request);
  if (request.path == kReload)
    return request.method == "POST" ? reload() : refuse(405, std::string("use POST for ") + request.path);
  const QueueAction* action = action_of(request.path);
  if (action == nullptr && !is_read_path(request.path)) return refuse(404, "no such path: " + request.path);
  if (action != nullptr) {
    return request.method == "POST" ? act(*action, request) : refuse(405, "use POST for " + request.path);
  }
  return request.method == "GET" ? get(request) : refuse(405, "use GET for " + request.path);
}

Response AdminApi::reload() {
  conf::Result<ReloadDone> done = loop_.ask<ReloadDone>(
      [backend = backend_](auto answered) { backend->reload(std::move(answered)); }, kReloadLimit);
  if (!done.ok()) return refuse(done.error());
  json told = {{"file", done->file},
               {"problems", done->problems},
               {"changes", done->changes},
               {"waits_for_restart", done->waiting}};
  if (done->refused.empty()) return answer(told);
  told["error"] = "reload refused, the old configuration goes on: " + done->refused;
  Response refused = answer(told);
  refused.status = 422;
  return refused;
}

Response AdminApi::get(const Request& request) {
  const std::string& path = request.path;
  if (path == kMessages) return list(request);
  if (path == kTexts) return texts();
  if (path.size() > kMessages.size() + 1 && path[kMessages.size()] == '/') {
    const std::string id = path.substr(kMessages.size() + 1);
    return id.ends_with(kContent) ? content(id.substr(0, id.size() - kContent.size())) : show(id);
  }
  if (path == "/metrics") {  // a scrape never waits for the mail loop, and never makes it work
    Response response;
    response.content_type = "text/plain; version=0.0.4";
    response.body = metrics_text(backend_->last_known(), spool_->health(), spool_->counters());
    return response;
  }
  conf::Result<QueueSummary> now = summary();
  if (!now.ok()) return refuse(now.error());
  if (path == "/v1/queue/summary") return told(request, now.value());
  if (path == "/v1/health") {
    const spool::SpoolHealth health = spool_->health();
    Response response = answer(health_json(now.value(), health, spool_->counters()));
    if (!now->accepting || !health.accepting) response.status = 503;
    return response;
  }
  return refuse(404, "no such path: " + path);
}

// With all mail that waits, in groups: by=site unless the question says otherwise.
Response AdminApi::told(const Request& request, const QueueSummary& summary) {
  WaitingBy by = WaitingBy::kSite;
  size_t limit = kDefaultGroups;
  if (conf::Status read = read_limit(request, kMaxGroups, &limit); !read.ok()) return refuse(read.error());
  for (const auto& [key, value] : request.query) {
    if (key == "limit") continue;
    const std::optional<WaitingBy> named = key == "by" ? waiting_by(value) : std::nullopt;
    if (!named) return refuse(400, key + ": there are limit, and by = domain, site, source, rule or stream");
    by = *named;
  }
  const conf::Result<std::shared_ptr<const Census>> census = loop_.ask<std::shared_ptr<const Census>>(
      [backend = backend_](auto done) { backend->census("", std::move(done)); });
  if (!census.ok()) return refuse(census.error());
  std::vector<Waiting> groups = groups_of(*census.value(), by, limit + 1);
  const bool more = groups.size() > limit;
  if (more) groups.pop_back();
  json out = summary_json(summary);
  out["waiting"] = waiting_json(all_of(*census.value()));
  out["by"] = to_text(by);
  out["groups"] = waiting_json(groups);
  out["more"] = more;
  return answer(out);
}

conf::Result<QueueSummary> AdminApi::summary() {
  return loop_.ask<QueueSummary>([backend = backend_](auto done) { done(backend->summary()); });
}

Response AdminApi::list(const Request& request) {
  QueueFilter filter;
  size_t limit = kDefaultLimit;
  if (conf::Status read = read_limit(request, kMaxLimit, &limit); !read.ok()) return refuse(read.error());
  for (const auto& [key, value] : request.query) {
    if (key == "limit") continue;
    if (conf::Status set = filter.set(key, value); !set.ok()) return refuse(set.error());
  }
  const conf::WallTime now = backend_->clock().wall();
  const conf::Result<Lookups> lookups = search_.lookups_for(filter, now);
  if (!lookups.ok()) return refuse(lookups.error());
  json rows = json::array();
  std::vector<conf::MessageId> ids;
  bool more = false;
  const conf::Status scanned = spool_->scan([&](const spool::MessageRecord& record) {
    if (match(filter, record, now, lookups.value()) == Match::kNone) return true;
    more = rows.size() == limit;
    if (more) return false;
    rows.push_back(message_json(in_calendar(record, backend_->clock()), backend_->clock().today()));
    ids.push_back(record.id);
    return true;
  });
  if (!scanned.ok()) return refuse(scanned.error());
  const conf::Result<std::vector<std::vector<DeliveryView>>> stand = search_.deliveries_of(ids);
  if (!stand.ok()) return refuse(stand.error());
  for (size_t i = 0; i < ids.size(); ++i) {
    if (!rows[i].contains("next")) continue;
    add_delivery(stand.value()[i], &rows[i], &rows[i]["next"]);
  }
  json out = {{"messages", std::move(rows)}, {"more", more}};
  if (out["messages"].empty()) add_slip(filter, spool_, &out);
  return answer(out);
}

Response AdminApi::texts() {
  std::unordered_map<std::string, uint64_t> messages;
  bool more = false;
  const conf::Status scanned = spool_->scan([&](const spool::MessageRecord& record) {
    std::set<std::string> own;  // several recipients may wait for the same reason
    for (const spool::RecipientRecord& recipient : record.recipients) {
      if (recipient.state == spool::RecipientState::kPending && !recipient.last_reply.empty())
        own.insert(std::to_string(recipient.reply_code) + ' ' + recipient.last_reply);
    }
    for (const std::string& text : own) {
      if (messages.size() < kMostTexts || messages.contains(text)) {
        ++messages[text];
      } else {
        more = true;
      }
    }
    return true;
  });
  if (!scanned.ok()) return refuse(scanned.error());
  json rows = json::array();
  for (const auto& [text, count] : messages) rows.push_back({{"text", text}, {"messages", count}});
  return answer({{"texts", std::move(rows)}, {"more", more}});
}

conf::Result<spool::LoadedMessage> AdminApi::load(const std::string& id_text, bool with_body) {
  const conf::Result<conf::MessageId> id = conf::parse_message_id(id_text);
  if (!id.ok()) return conf::invalid("message id: " + id.error().detail);
  using Loaded = conf::Result<spool::LoadedMessage>;
  conf::Result<Loaded> loaded = loop_.ask<Loaded>([spool = spool_, id = id.value(), with_body](auto done) {
    spool->load(id, with_body, [done](Loaded message) { done(std::move(message)); });
  });
  if (!loaded.ok()) return loaded.error();
  return std::move(loaded).value();
}

// The octets of the message as they are in the spool.
Response AdminApi::content(const std::string& id_text) {
  conf::Result<spool::LoadedMessage> loaded = load(id_text, true);
  if (!loaded.ok()) return refuse(loaded.error());
  Response response;
  response.content_type = "message/rfc822";
  response.body = loaded->body.view();
  return response;
}

Response AdminApi::show(const std::string& id_text) {
  conf::Result<spool::LoadedMessage> loaded = load(id_text, false);
  if (!loaded.ok()) return refuse(loaded.error());
  const spool::RelayClock& clock = backend_->clock();
  json out = message_detail_json(in_calendar(loaded->record, clock), clock.today());
  const conf::Result<std::vector<std::vector<DeliveryView>>> stand =
      search_.deliveries_of({loaded->record.id});
  if (!stand.ok()) return refuse(stand.error());
  for (json& recipient : out["recipients"]) {
    if (recipient.value("state", "") != "pending") continue;
    add_delivery(stand.value().front(), &recipient, &recipient);
  }
  return answer(out);
}

conf::Result<uint64_t> AdminApi::apply(const conf::QueueOrder& order,
                                       const std::vector<conf::MessageId>& ids) {
  const auto carried = std::make_shared<Carried>();
  std::vector<char> reached;
  const conf::Status asked = search_.ask_in_turns<char, conf::MessageId>(
      ids,
      [carried, action = order.action, who = order.by](Backend* backend, const conf::MessageId& id) {
        const bool done = backend->apply(action, id, who);
        ++carried->asked;
        carried->reached += done ? 1 : 0;
        return static_cast<char>(done);
      },
      &reached);
  const auto applied = static_cast<uint64_t>(std::ranges::count(reached, char{1}));
  conf::Error error = asked.ok() ? conf::Error{} : asked.error();
  conf::QueueOrder told = order;
  told.detail =
      error.code == conf::ErrorCode::kTimeout ? "the mail loop did not answer in time" : error.detail;
  tell(told, ids.size(), carried);
  if (asked.ok()) {
    (void)loop_.ask<bool>([](auto done) { done(true); });  // whoever has the answer finds the event
    return applied;
  }
  if (applied == 0) return error;
  error.detail = told.detail + "; done for " + std::to_string(applied) + " of " + std::to_string(ids.size()) +
                 " messages";
  if (error.code == conf::ErrorCode::kClosed)  // no loop is left that would tell it
    conf::say(std::string("queue ") + to_text(order.action) + " of " + order.by + ": " + error.detail);
  return error;
}

conf::Status AdminApi::tell_paused(const std::vector<conf::MessageId>& ids, json* out) {
  std::vector<std::string> streams;
  const conf::Status asked = search_.ask_in_turns<std::string, conf::MessageId>(
      ids, [](Backend* backend, const conf::MessageId& id) { return backend->paused_stream(id); }, &streams);
  if (!asked.ok()) return asked;
  const conf::Result<std::vector<OrderView>> orders =
      loop_.ask<std::vector<OrderView>>([backend = backend_](auto done) { done(backend->orders()); });
  if (!orders.ok()) return orders.error();
  if (json paused = paused_json(streams, orders.value()); !paused.empty())
    (*out)["paused"] = std::move(paused);
  return conf::success();
}

conf::Result<std::vector<conf::MessageId>> AdminApi::take_unknown(std::vector<conf::MessageId>* ids) {
  std::vector<char> queued;
  const conf::Status asked = search_.ask_in_turns<char, conf::MessageId>(
      *ids,
      [](Backend* backend, const conf::MessageId& id) { return static_cast<char>(backend->is_queued(id)); },
      &queued);
  if (!asked.ok()) return asked.error();
  std::vector<conf::MessageId> known, unknown;
  for (size_t i = 0; i < ids->size(); ++i) (queued[i] != 0 ? known : unknown).push_back((*ids)[i]);
  *ids = std::move(known);
  return unknown;
}

// What was given up may be carried out yet: it is counted on the loop's thread, behind all that was asked.
void AdminApi::tell(conf::QueueOrder order, uint64_t meant, std::shared_ptr<const Carried> carried) {
  loop_.tell([backend = backend_, order = std::move(order), meant, carried = std::move(carried)]() mutable {
    if (carried->reached == 0) return;
    order.messages = carried->reached;
    order.not_done = meant - carried->asked;
    if (order.not_done == 0) order.detail.clear();
    backend->ordered(std::move(order));
  });
}

Response AdminApi::act(QueueAction action, const Request& request) {
  conf::Result<Order> order = parse_order(request.body);
  if (!order.ok()) return refuse(order.error());
  QueueSearch::Selection selection;
  const bool by_id = !order->ids.empty();
  if (!by_id) {
    // These are for good, and take every recipient of a message: one that has others too is not meant.
    const bool whole = action == QueueAction::kDrop || action == QueueAction::kFail;
    conf::Result<QueueSearch::Selection> selected = search_.select(order->filter, whole);
    if (!selected.ok()) return refuse(selected.error());
    selection = std::move(selected).value();
  } else {
    selection.ids = order->ids;
  }
  json out = {{"matched", selection.ids.size()}, {"partly", selection.partly}};
  if (by_id) {
    conf::Result<std::vector<conf::MessageId>> unknown = take_unknown(&selection.ids);
    if (!unknown.ok()) return refuse(unknown.error());
    if (selection.ids.empty()) return refuse(404, not_queued(*unknown));
    out["matched"] = selection.ids.size();
    json names = json::array();
    for (const conf::MessageId id : *unknown) names.push_back(conf::to_text(id));
    if (!names.empty()) out["unknown"] = std::move(names);
  }
  if (!by_id && selection.ids.empty() && selection.partly == 0) add_slip(order->filter, spool_, &out);
  if (order->dry_run) {
    if (!selection.ids.empty()) {
      out["up_to"] = conf::to_text(*std::max_element(selection.ids.begin(), selection.ids.end()));
    }
    Response counted = answer(out);
    counted.only_asked = true;
    return counted;
  }
  const conf::Result<uint64_t> applied =
      apply({action, target_text(*order), request.who, 0, 0, {}}, selection.ids);
  if (!applied.ok()) return refuse(applied.error());
  out["applied"] = applied.value();
  const bool to_go = action == QueueAction::kRelease || action == QueueAction::kRetry;
  const conf::Status told = to_go ? tell_paused(selection.ids, &out) : conf::success();
  return told.ok() ? answer(out) : refuse(told.error());
}

}  // namespace relay::admin
