// What a mail repeats of the message that it answers: our own words, which say nothing of what became of it.
#pragma once

#include <string>
#include <string_view>

namespace bounce::report {

// The decoded Subject of `original`, a message or its header, where it has words that notices of failure have
// too; empty otherwise.
std::string telling_subject(std::string_view original);

// `text` without that subject, however blanks and letter case differ.
std::string without_subject(std::string_view text, std::string_view subject);

// `text` without that subject and without the sentences that `original` has too.
std::string without_echo(std::string_view text, std::string_view original);

}  // namespace bounce::report
