#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "bounce/classification.h"
#include "relay/cli/cli.h"
#include "relay/cli/command.h"
#include "relay/cli/reply_rules_file.h"

namespace relay::cli {
namespace {

constexpr size_t kBlockOctets = 4 << 20;  // read and answered at a time; a longer line makes a longer block

struct ClassifyOptions {
  std::vector<std::string> files;
  std::string rules, mx_host, domain, source;
  unsigned threads = 0;
};

// Answers the lines of a block, a share of them on each thread, in their order.
class BlockAnswerer {
 public:
  BlockAnswerer(const bounce::Qualifier* qualifier, const bounce::Occasion& place, unsigned threads)
      : answers_(threads) {
    for (unsigned i = 0; i < threads; ++i) classifiers_.emplace_back(qualifier, place);
  }

  // `block` ends with a line end, or is the end of the input. False when stdout took no more.
  bool answer(std::string_view block) {
    std::vector<std::string_view> shares;
    const size_t size = block.size() / classifiers_.size() + 1;
    while (!block.empty()) {
      size_t end = block.find('\n', std::min(size, block.size()) - 1);
      if (shares.size() + 1 == classifiers_.size() || end == std::string_view::npos) end = block.size() - 1;
      shares.push_back(block.substr(0, end + 1));
      block.remove_prefix(end + 1);
    }
    std::vector<std::thread> threads;
    for (size_t i = 1; i < shares.size(); ++i)
      threads.emplace_back([this, i, share = shares[i]] { answer_share(i, share); });
    if (!shares.empty()) answer_share(0, shares[0]);
    for (std::thread& thread : threads) thread.join();
    for (size_t i = 0; i < shares.size(); ++i) {
      if (std::fwrite(answers_[i].data(), 1, answers_[i].size(), stdout) != answers_[i].size()) return false;
    }
    return true;
  }

 private:
  void answer_share(size_t index, std::string_view share) {
    std::string& out = answers_[index];
    out.clear();
    while (!share.empty()) {
      const size_t end = std::min(share.find('\n'), share.size());
      std::string_view line = share.substr(0, end);
      if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
      classifiers_[index].append(line, &out);
      share.remove_prefix(std::min(end + 1, share.size()));
    }
  }

  std::vector<bounce::Classifier> classifiers_;
  std::vector<std::string> answers_;
};

// Everything of the descriptor, block by block; what lies there at once is answered at once.
int classify_input(int input, const std::string& name, BlockAnswerer* answerer) {
  std::string pending;
  std::vector<char> buffer(kBlockOctets);
  while (true) {
    const ssize_t got = ::read(input, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      std::fprintf(stderr, "penstock: %s: %s\n", name.c_str(), std::strerror(errno));
      return kFailed;
    }
    pending.append(buffer.data(), static_cast<size_t>(got));
    const size_t last = got == 0 ? pending.size() : pending.rfind('\n') + 1;
    const bool full = got == 0 || last >= kBlockOctets / 2 || static_cast<size_t>(got) < buffer.size();
    if (full && last > 0) {
      if (!answerer->answer(std::string_view(pending).substr(0, last)) || std::fflush(stdout) != 0)
        return kFailed;
      pending.erase(0, last);
    }
    if (got == 0) return kDone;
  }
}

int classify(const ClassifyOptions& options) {
  bounce::RuleFiles files;
  files.rules = options.rules;
  const std::shared_ptr<const bounce::Qualifier> qualifier = qualifier_of(files);
  if (qualifier == nullptr) return kUsage;
  bounce::Occasion place;
  place.mx_host = options.mx_host;
  place.recipient_domain = options.domain;
  place.source = options.source;
  const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
  BlockAnswerer answerer(qualifier.get(), place, options.threads == 0 ? cores : options.threads);
  if (options.files.empty()) return classify_input(STDIN_FILENO, "standard input", &answerer);
  for (const std::string& file : options.files) {
    std::FILE* input = std::fopen(file.c_str(), "rb");
    if (input == nullptr) {
      std::fprintf(stderr, "penstock: cannot read %s: %s\n", file.c_str(), std::strerror(errno));
      return kFailed;
    }
    const int status = classify_input(::fileno(input), file, &answerer);
    std::fclose(input);
    if (status != kDone) return status;
  }
  return kDone;
}

}  // namespace

void add_classify_command(CLI::App* parser, Invocation* invocation) {
  const auto options = std::make_shared<ClassifyOptions>();
  CLI::App* command = parser->add_subcommand(
      "classify",
      "say what SMTP replies mean: one reply a line (\"550 5.1.1 text\") in, one JSON object a line out");
  command->add_option("files", options->files, "files of replies; default: standard input");
  command->add_option("--rules", options->rules, "a file of reply rules that stand before the shipped ones");
  command->add_option("--mx", options->mx_host, "the MX host that spoke, for rules that ask for it");
  command->add_option("--domain", options->domain, "the recipient domain, for rules that ask for it");
  command->add_option("--source", options->source, "the name of the source, for rules that ask for it");
  command->add_option("--threads", options->threads, "default: one for each core")->check(CLI::Range(1, 256));
  command->callback([=] { invocation->run = [=] { return classify(*options); }; });
}

}  // namespace relay::cli
