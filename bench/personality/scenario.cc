#include "bench/personality/scenario.h"

#include <memory>
#include <utility>

#include "bench/personality/wording.h"
#include "conf/document.h"

namespace bench {
namespace {

constexpr uint32_t kMost = 1'000'000;
constexpr uint32_t kMaxCopies = 1000, kMaxDomains = 100'000, kMaxHosts = 100;
constexpr uint32_t kMaxTimeScale = 3600;  // an hour in a second
constexpr uint32_t kMaxAddresses = 8000;  // a listening socket each

// A refusal that is given on the wire, or that a late bounce tells of.
void read_reply(conf::Section* section, std::string* reply) {
  const std::string wrong = section->text("reply", reply) ? check_reply(*reply) : std::string();
  if (!wrong.empty()) section->report("reply", wrong);
}

void read_fault(conf::Section* section, Fault* fault) {
  size_t stage = static_cast<size_t>(fault->at);
  if (!section->has("at")) section->report("at", "is missing: where the fault happens");
  section->choice("at", std::vector<const char*>(std::begin(kStageNames), std::end(kStageNames)), &stage);
  fault->at = static_cast<Stage>(stage);
  section->share("share", &fault->share);
  section->flag("sticky", &fault->sticky);
  section->duration("after", &fault->after);
  section->duration("until", &fault->until);
  if (fault->until <= fault->after) section->report("until", "must be later than after");
  bool drop = false;
  const bool has_reply = section->has("reply"), has_handshake = section->has("handshake");
  read_reply(section, &fault->reply);
  const bool has_delay = section->duration("delay", &fault->delay);
  section->flag("drop", &drop);
  section->flag("in_tls", &fault->in_tls);
  constexpr std::pair<const char*, FaultKind> kManners[] = {{"lose", FaultKind::kLose},
                                                            {"twice", FaultKind::kTwice},
                                                            {"early", FaultKind::kEarly},
                                                            {"leave", FaultKind::kLeave},
                                                            {"endless", FaultKind::kEndless}};
  int manners = 0;
  for (const auto& [key, kind] : kManners) {
    bool on = false;
    section->flag(key, &on);
    if (!on) continue;
    ++manners;
    fault->kind = kind;
  }
  size_t handshake = 0;
  section->choice("handshake",
                  std::vector<const char*>(std::begin(kHandshakeNames) + 1, std::end(kHandshakeNames)),
                  &handshake);
  fault->handshake = static_cast<Handshake>(handshake + 1);
  if (has_reply + has_delay + drop + has_handshake + manners != 1)
    section->report(
        nullptr,
        "exactly one of reply, delay, drop, handshake, lose, twice, early, leave and endless says "
        "what happens");
  if (manners == 0)
    fault->kind = has_reply       ? FaultKind::kReply
                  : has_delay     ? FaultKind::kDelay
                  : has_handshake ? FaultKind::kHandshake
                                  : FaultKind::kDrop;
  if (fault->kind == FaultKind::kEarly && fault->at != Stage::kData)
    section->report("early", "goes with at = \"data\"");
  const bool unheard =
      fault->at == Stage::kConnect || fault->at == Stage::kContent || fault->at == Stage::kStored;
  if (unheard && (fault->kind == FaultKind::kLose || fault->kind == FaultKind::kTwice ||
                  fault->kind == FaultKind::kEndless))
    section->report(nullptr, "there is no command to answer there");
  if (has_reply && fault->at == Stage::kStored)
    section->report("reply", "a stored message has its 250 already; at = \"dot\" refuses it");
  if (has_reply && fault->at == Stage::kContent)
    section->report("reply", "nobody listens while content comes; at = \"dot\" refuses it");
  if (has_handshake && fault->at != Stage::kStartTls)
    section->report("handshake", "goes with at = \"starttls\"");
  section->finish();
}

void read_late(conf::Section* section, LateRule* rule) {
  size_t kind = 0;
  section->choice("kind", {"dsn", "arf"}, &kind);
  rule->kind = static_cast<ReportKind>(kind);
  section->share("share", &rule->share);
  section->flag("sticky", &rule->sticky);
  section->duration("after", &rule->after);
  section->duration("spread", &rule->spread);
  if (!section->has("reply") && rule->kind == ReportKind::kDsn)
    section->report("reply", "is missing: what the bounce says, such as \"550 5.1.1 User unknown\"");
  if (section->has("reply") && rule->kind == ReportKind::kArf)
    section->report("reply", "a complaint has none; it goes with kind = \"dsn\"");
  read_reply(section, &rule->reply);
  section->finish();
}

struct Shape {
  uint32_t domains = 1, hosts = 1, copies = 1;
  std::vector<std::string> domain_names;
};

void read_group(conf::Section* section, Group* group, Shape* shape) {
  if (!section->text("name", &group->name) || group->name.empty())
    section->report("name", "is missing: letters, digits and hyphens");
  if (group->name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") != std::string::npos)
    section->report("name", "may hold small letters, digits and hyphens: it becomes part of host names");
  section->number("weight", &group->weight, 1, kMost);
  section->number("domains", &shape->domains, 1, kMaxDomains);
  section->texts("domain_names", &shape->domain_names);
  section->number("hosts", &shape->hosts, 1, kMaxHosts);
  section->number("copies", &shape->copies, 1, kMaxCopies);
  section->number("max_connections", &group->max_connections, 1, kMost);
  section->number("max_messages_per_connection", &group->max_messages_per_connection, 1, kMost);
  section->number("max_recipients", &group->max_recipients, 1, kMost);
  section->number("max_messages", &group->max_messages, 1, kMost);
  section->number("max_new_connections", &group->max_new_connections, 1, kMost);
  section->duration("window", &group->window, conf::Duration(1000));
  section->duration("greylist", &group->greylist);
  section->size("max_size", &group->max_size_bytes);
  section->flag("pipelining", &group->pipelining);
  section->flag("chunking", &group->chunking);
  section->flag("octets", &group->octets);
  section->flag("bare_lf", &group->bare_lf);
  section->flag("refuses_offered", &group->refuses_offered);
  size_t per = 0, tls = 0;
  section->choice("per", {"group", "address"}, &per);
  group->per = static_cast<Per>(per);
  section->choice("tls", {"none", "offered", "required"}, &tls);
  group->tls = static_cast<TlsUse>(tls);
  if (section->text("tls_name", &group->tls_name) && group->tls == TlsUse::kNone)
    section->report("tls_name", "goes with tls = \"offered\" or \"required\"");
  size_t wording = 0;
  if (section->choice("wording", wording_names(), &wording)) group->wording = wording_names()[wording];
  for (conf::Section& fault : section->sections("fault", "[[group.fault]]")) {
    group->faults.emplace_back();
    read_fault(&fault, &group->faults.back());
  }
  for (const Fault& fault : group->faults)
    if (fault.at == Stage::kStartTls && group->tls == TlsUse::kNone)
      section->report("fault", "at = \"starttls\" goes with tls = \"offered\" or \"required\"");
  for (conf::Section& late : section->sections("late", "[[group.late]]")) {
    group->late.emplace_back();
    read_late(&late, &group->late.back());
  }
  for (const std::string& name : shape->domain_names)
    if (name.size() < 6 || name.substr(name.size() - 5) != ".test")
      section->report("domain_names", "\"" + name + "\" does not end in .test (RFC 2606)");
  section->finish();
}

// Gives every copy its hosts, addresses and domains.
bool expand(const Group& pattern, const Shape& shape, uint32_t* next_address, std::vector<Group>* out) {
  for (uint32_t copy = 1; copy <= shape.copies; ++copy) {
    Group group = pattern;
    if (shape.copies > 1) group.name += std::to_string(copy);
    for (uint32_t host = 1; host <= shape.hosts; ++host) {
      if (*next_address >= kMaxAddresses) return false;
      const uint32_t at = (*next_address)++;
      group.hosts.push_back("mx" + std::to_string(host) + "." + group.name + ".test");
      group.addresses.push_back("127.1." + std::to_string(at / 250) + "." + std::to_string(1 + at % 250));
    }
    group.domains = shape.domain_names;
    for (uint32_t i = 1; group.domains.empty() || i <= shape.domains; ++i) {
      if (!shape.domain_names.empty()) break;
      group.domains.push_back("d" + std::to_string(i) + "." + group.name + ".test");
    }
    out->push_back(std::move(group));
  }
  return true;
}

ParsedScenario read(conf::Document* document) {
  ParsedScenario parsed;
  parsed.problems = document->problems();
  if (!parsed.problems.empty()) return parsed;
  conf::Section root = document->root();
  uint32_t seed = 1, port = parsed.scenario.port;
  if (!root.text("name", &parsed.scenario.name))
    root.report("name", "is missing: what the scenario is called");
  root.number("seed", &seed, 0, UINT32_MAX);
  root.number("port", &port, 1, 65535);
  root.number("time_scale", &parsed.scenario.time_scale, 1, kMaxTimeScale);
  root.text("reports_to", &parsed.scenario.reports_to);
  parsed.scenario.seed = seed;
  parsed.scenario.port = static_cast<uint16_t>(port);
  uint32_t next_address = 0;
  for (conf::Section& section : root.sections("group", "[[group]]")) {
    Group group;
    Shape shape;
    read_group(&section, &group, &shape);
    if (!shape.domain_names.empty() && shape.copies > 1)
      section.report("copies", "the copies of a group cannot all have the same domain_names");
    for (const Group& other : parsed.scenario.groups)
      if (other.name == group.name) section.report("name", "there is a group of this name already");
    if (!expand(group, shape, &next_address, &parsed.scenario.groups)) {
      section.report("hosts", "more than " + std::to_string(kMaxAddresses) + " hosts in the scenario");
      break;
    }
  }
  if (parsed.scenario.groups.empty()) root.report("group", "is missing: at least one [[group]]");
  root.finish();
  parsed.problems = document->problems();
  return parsed;
}

}  // namespace

ParsedScenario parse_scenario(std::string_view text, std::string file_name) {
  conf::Document document(text, std::move(file_name));
  return read(&document);
}

ParsedScenario load_scenario(const std::string& path) {
  const std::unique_ptr<conf::Document> document = conf::Document::load(path);
  return read(document.get());
}

std::string check_reply(std::string_view reply) {
  if (reply.size() < 4 || (reply[0] != '4' && reply[0] != '5') || reply[1] < '0' || reply[1] > '5' ||
      reply[2] < '0' || reply[2] > '9' || reply[3] != ' ')
    return "a refusal begins with its code, such as \"450 4.2.0 Try again\"";
  if (reply.find_first_of("\r\n") != std::string_view::npos || reply.size() > 500)
    return "a reply is one line of at most 500 characters";
  return {};
}

void speed_up(Scenario* scenario) {
  const auto scale = [by = scenario->time_scale](conf::Duration* time) { *time /= by; };
  for (Group& group : scenario->groups) {
    scale(&group.window);
    scale(&group.greylist);
    for (Fault& fault : group.faults) {
      scale(&fault.after);
      if (fault.until != conf::Duration(INT64_MAX)) scale(&fault.until);
    }
    for (LateRule& rule : group.late) {
      scale(&rule.after);
      scale(&rule.spread);
    }
  }
  scenario->time_scale = 1;
}

}  // namespace bench
