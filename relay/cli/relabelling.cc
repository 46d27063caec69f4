#include "relay/cli/relabelling.h"

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "bounce/bare_name.h"
#include "bounce/diagnostic.h"
#include "bounce/ledger/sqlite_desk.h"
#include "bounce/text_template.h"
#include "relay/admin/admin_client.h"
#include "relay/cli/cli.h"
#include "relay/cli/command.h"
#include "relay/cli/ledger_file.h"
#include "relay/cli/qualify_files.h"
#include "relay/cli/quarantine_work.h"
#include "relay/cli/queue_view.h"

namespace relay::cli {
namespace {

using bounce::Qualification;
using nlohmann::json;

constexpr size_t kKnownTexts = 100'000;

unsigned long long shown_number(uint64_t value) { return value; }

// The new meaning of a text; texts come back, and their template is made once.
class Readings {
 public:
  explicit Readings(const Relabelling& rows) : rows_(rows) {}

  const Qualification* of(const std::string& text) {
    const auto known = keys_.find(text);
    uint64_t key = 0;
    if (known != keys_.end()) {
      key = known->second;
    } else {
      key = bounce::row_key(bounce::text_template(bounce::read_diagnostic(text)));
      if (keys_.size() < kKnownTexts) keys_.emplace(text, key);
    }
    const auto found = rows_.find(key);
    return found == rows_.end() ? nullptr : &found->second;
  }

 private:
  const Relabelling& rows_;
  std::unordered_map<std::string, uint64_t> keys_;
};

Invocation invocation_of(const QualifyOptions& options) {
  Invocation invocation;
  invocation.config_path = options.config;
  return invocation;
}

// The configuration, when there is one that can be read: a command with --table needs none.
conf::ConfigPtr config_of(const QualifyOptions& options) {
  return std::filesystem::exists(options.config) ? conf::load_config(options.config).config : nullptr;
}

std::string ledger_of(const QualifyOptions& options) {
  if (!options.ledger.empty()) return options.ledger;
  const conf::ConfigPtr config = config_of(options);
  return config == nullptr ? std::string() : bounce::ledger_path(config->quarantine, config->spool.path);
}

// The last refusals of what the relay has queued; nothing: no relay answers.
std::optional<json> texts_of(const QualifyOptions& options) {
  std::string socket = options.socket;
  const conf::ConfigPtr config = socket.empty() ? config_of(options) : nullptr;
  if (config != nullptr) socket = config->admin.socket;
  if (socket.empty()) return std::nullopt;
  const auto reply = admin::request(socket, "GET", "/v1/queue/texts", "");
  if (!reply.ok() || reply.value().status != 200) return std::nullopt;
  json answer = json::parse(reply.value().body, nullptr, false);
  if (!answer.is_object() || !answer.contains("texts") || !answer["texts"].is_array()) return std::nullopt;
  return answer;
}

void tell_queue(const QualifyOptions& options, bool apply, Readings* readings) {
  const std::optional<json> answer = texts_of(options);
  if (!answer) {
    std::puts("queued messages were not looked at: no relay answers");
    return;
  }
  uint64_t messages = 0, ending = 0;
  for (const json& each : (*answer)["texts"]) {
    const Qualification* meaning = readings->of(each.value("text", ""));
    if (meaning == nullptr) continue;
    messages += each.value("messages", uint64_t{0});
    if (bounce::ends_at_once(*meaning)) ending += each.value("messages", uint64_t{0});
  }
  std::printf("%s %s%llu queued messages: they are read so from their next try on, and %llu end with it\n",
              apply ? "relabelled" : "would relabel", answer->value("more", false) ? "at least " : "",
              shown_number(messages), shown_number(ending));
}

bool tell_addresses(const QualifyOptions& options, bool apply, Readings* readings, uint64_t* batch) {
  const std::string path = ledger_of(options);
  if (path.empty() || !std::filesystem::exists(path)) {
    std::puts("addresses in quarantine were not looked at: there is no ledger");
    return true;
  }
  int exit_code = kDone;
  const std::optional<OpenLedger> open = open_ledger(invocation_of(options), path, false, &exit_code);
  if (!open) return false;
  const auto reading = [readings](const bounce::AddressRow& row) -> std::optional<Qualification> {
    const Qualification* meaning =
        readings->of(bounce::without_bare_name(row.text, bounce::local_part_of(row.address)));
    return meaning == nullptr ? std::nullopt : std::optional(*meaning);
  };
  auto done = open->desk().relabel(reading, apply);
  if (!done.ok()) {
    failed(done.error());
    return false;
  }
  std::printf("%s %llu addresses: %llu leave the quarantine, %llu go into it, %llu get another reason\n",
              apply ? "relabelled" : "would relabel",
              shown_number(apply ? done->done.changed : done->leave + done->enter + done->reason),
              shown_number(done->leave), shown_number(done->enter), shown_number(done->reason));
  for (const auto& [row, state] : done->examples)
    std::printf("  %s -> %s\n", row_line(row).c_str(), to_text(state.status));
  *batch = done->done.batch;
  return true;
}

}  // namespace

bool relabel_past(const QualifyOptions& options, const Relabelling& rows, bool apply, uint64_t* batch) {
  *batch = 0;
  if (rows.empty()) return true;
  Readings readings(rows);
  tell_queue(options, apply, &readings);
  return tell_addresses(options, apply, &readings, batch);
}

bool undo_past(const QualifyOptions& options, uint64_t batch) {
  if (batch == 0) return true;
  int exit_code = kDone;
  const std::optional<OpenLedger> open =
      open_ledger(invocation_of(options), ledger_of(options), false, &exit_code);
  if (!open) return false;
  auto done = open->desk().undo(batch);
  if (!done.ok()) {
    failed(done.error());
    return false;
  }
  std::printf("%llu addresses are as they were, %llu were changed meanwhile and left alone\n",
              shown_number(done->changed), shown_number(done->left));
  return true;
}

}  // namespace relay::cli
