// Transcripts of SMTP sessions within a notice ("<<< 550 5.1.1 no such user"), and the single lines of a
// text that say why.
#pragma once

#include <string>
#include <string_view>

namespace bounce::report {

// What a line of a session says behind its prompt, a command or a reply ("RCPT TO:<a@b>", "250 ok"); a date
// and the mark of a session may stand before the prompt. Empty: it is none.
std::string_view session_line(std::string_view line);

// The reply of the transcript that matters: the last refusal that the remote host gave, with its
// continuation lines; empty when the text holds no transcript. `*host` (may be null) gets "talking to X".
std::string transcript_reply(std::string_view text, std::string* host);

}  // namespace bounce::report
