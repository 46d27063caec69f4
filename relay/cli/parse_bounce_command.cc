#include <CLI/CLI.hpp>
#include <atomic>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "bounce/report/meaning.h"
#include "bounce/report/report.h"
#include "bounce/return_path.h"
#include "relay/cli/cli.h"
#include "relay/cli/command.h"
#include "relay/cli/mail_files.h"
#include "relay/cli/report_json.h"

namespace relay::cli {
namespace {

constexpr size_t kBatch = 4096;  // files whose answers are kept until they are printed in order

struct ParseBounceOptions {
  std::vector<std::string> paths;
  bool mbox = false;
  unsigned threads = 0;
  std::string key_file;
  std::string prefix = "bounces";
};

// What every mail is read with; shared by the threads.
struct Tools {
  std::shared_ptr<const bounce::Qualifier> qualifier = bounce::Qualifier::shipped();
  std::optional<bounce::ReturnKeys> keys;
  TokenCheck tokens;
};

void parse_mail(std::string_view mail, const std::string& file, size_t number, const Tools& tools,
                std::string* out) {
  const bounce::report::Report report = bounce::report::read_report(mail);
  append_report_json(report, {file, number}, *tools.qualifier, tools.tokens, out);
}

// Runs `work(i)` for 0..count-1 on every core.
template <typename Work>
void on_every_core(size_t count, unsigned threads, const Work& work) {
  std::atomic<size_t> next{0};
  const auto run = [&] {
    for (size_t i = next++; i < count; i = next++) work(i);
  };
  std::vector<std::thread> others;
  for (unsigned i = 1; i < threads && i < count; ++i) others.emplace_back(run);
  run();
  for (std::thread& other : others) other.join();
}

bool print(const std::string& text) {
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
}

struct Batch {
  std::vector<std::string> answers;
  std::vector<std::string> problems;
};

// An mbox is one file with many mails: its mails are shared out between the cores, not the file.
void parse_mbox(const std::vector<std::string_view>& mails, const std::string& path, unsigned threads,
                const Tools& tools, std::string* out) {
  for (size_t from = 0; from < mails.size(); from += kBatch) {
    const size_t count = std::min(kBatch, mails.size() - from);
    std::vector<std::string> answers(count);
    on_every_core(count, threads,
                  [&](size_t i) { parse_mail(mails[from + i], path, from + i + 1, tools, &answers[i]); });
    for (const std::string& answer : answers) out->append(answer);
  }
}

bool read_keys(const ParseBounceOptions& options, Tools* tools) {
  if (options.key_file.empty()) return true;
  conf::Result<std::string> text = read_mail_file(options.key_file);
  conf::Result<bounce::ReturnKeys> keys = text.ok() ? bounce::ReturnKeys::parse(*text, options.key_file)
                                                    : conf::Result<bounce::ReturnKeys>(text.error());
  if (!keys.ok()) {
    std::fprintf(stderr, "penstock: %s\n", keys.error().detail.c_str());
    return false;
  }
  tools->keys = std::move(keys).value();
  conf::ReturnPathSettings path;
  path.prefix = options.prefix;
  tools->tokens = {&*tools->keys, {path}, conf::SystemClock().wall()};
  return true;
}

int parse_bounce(const ParseBounceOptions& options) {
  const auto tools = std::make_unique<Tools>();
  if (!read_keys(options, tools.get())) return kUsage;
  const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
  const unsigned threads = options.threads == 0 ? cores : options.threads;
  conf::Result<std::vector<std::string>> files = mail_files(options.paths);
  if (!files.ok()) {
    std::fprintf(stderr, "penstock: %s\n", files.error().detail.c_str());
    return kFailed;
  }
  int status = kDone;
  for (size_t from = 0; from < files->size(); from += kBatch) {
    const size_t count = std::min(kBatch, files->size() - from);
    Batch batch{std::vector<std::string>(count), std::vector<std::string>(count)};
    const unsigned within = count == 1 ? threads : 1;
    on_every_core(count, threads, [&](size_t i) {
      const std::string& path = (*files)[from + i];
      conf::Result<std::string> content = read_mail_file(path);
      if (!content.ok()) {
        batch.problems[i] = content.error().detail;
        return;
      }
      parse_mbox(mails_in(*content, path, options.mbox), path, within, *tools, &batch.answers[i]);
    });
    for (size_t i = 0; i < count; ++i) {
      if (!batch.problems[i].empty()) {
        std::fprintf(stderr, "penstock: %s\n", batch.problems[i].c_str());
        status = kFailed;
      }
      if (!print(batch.answers[i])) return kFailed;
    }
  }
  return std::fflush(stdout) == 0 ? status : kFailed;
}

}  // namespace

void add_parse_bounce_command(CLI::App* parser, Invocation* invocation) {
  const auto options = std::make_shared<ParseBounceOptions>();
  CLI::App* command =
      parser->add_subcommand("parse-bounce", "what returned mail says: one JSON object a line per recipient");
  command
      ->add_option("file", options->paths,
                   "mails: files, mbox files, Maildirs or other folders, - for standard input")
      ->required();
  command->add_flag("--mbox", options->mbox, "the files are mbox files, whatever they look like");
  command->add_option("--threads", options->threads, "how many threads; default: one for each core")
      ->check(CLI::Range(1, 1024));
  command->add_option("--return-keys", options->key_file,
                      "file of the keys that signed our return paths; without it tokens are not checked");
  command->add_option("--return-prefix", options->prefix, "what stands before the '+' and the token")
      ->capture_default_str();
  command->footer(
      "Needs no running daemon. A mail that is no report gives one object of kind \"notbounce\".");
  command->callback([=] { invocation->run = [=] { return parse_bounce(*options); }; });
}

}  // namespace relay::cli
