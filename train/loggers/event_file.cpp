#include "event_file.h"

#include <array>
#include <bit>

namespace levin::inline v0 {
namespace {

constexpr std::array<uint32_t, 256> kCrcTable = [] {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < table.size(); ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78u : 0);
    table[i] = crc;
  }
  return table;
}();

// Readers that look for a record in the middle of a file must not find a checksum in a checksum.
uint32_t masked_crc(std::string_view bytes) { return std::rotr(crc32c(bytes), 15) + 0xA282EAD8u; }

std::string little_endian(uint64_t number, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(number >> 8 * i);
  return text;
}

// A message in protobuf's encoding.
class Message {
 public:
  Message& integer(int field, int64_t number) {
    tag(field, 0);
    varint(static_cast<uint64_t>(number));
    return *this;
  }
  Message& real64(int field, double number) {
    tag(field, 1);
    bytes_ += little_endian(std::bit_cast<uint64_t>(number), 8);
    return *this;
  }
  Message& real32(int field, float number) {
    tag(field, 5);
    bytes_ += little_endian(std::bit_cast<uint32_t>(number), 4);
    return *this;
  }
  Message& text(int field, std::string_view text) {
    tag(field, 2);
    varint(text.size());
    bytes_ += text;
    return *this;
  }
  Message& message(int field, const Message& inner) { return text(field, inner.bytes_); }

  // Framed: length, its checksum, the message, its checksum.
  std::string record() const {
    const std::string length = little_endian(bytes_.size(), 8);
    return length + little_endian(masked_crc(length), 4) + bytes_ +
           little_endian(masked_crc(bytes_), 4);
  }

 private:
  void tag(int field, int wire_type) { varint(static_cast<uint64_t>(field << 3 | wire_type)); }
  void varint(uint64_t number) {
    for (; number >= 0x80; number >>= 7) bytes_ += static_cast<char>(number | 0x80);
    bytes_ += static_cast<char>(number);
  }

  std::string bytes_;
};

// As protobuf's own writer, which leaves out what is 0.
Message event(double wall_time, int64_t step) {
  Message message = Message().real64(1, wall_time);
  return step == 0 ? message : message.integer(2, step);
}

constexpr std::size_t kHead = 8 + 4, kFoot = 4;

}  // namespace

uint32_t crc32c(std::string_view bytes) {
  uint32_t crc = ~0u;
  for (const char c : bytes) crc = crc >> 8 ^ kCrcTable[(crc ^ static_cast<uint8_t>(c)) & 0xFF];
  return ~crc;
}

std::string version_record(double wall_time) {
  return event(wall_time, 0).text(3, "brain.Event:2").record();
}

std::string session_start_record(double wall_time, int64_t step) {
  constexpr int kStart = 1;
  return event(wall_time, step).message(7, Message().integer(1, kStart)).record();
}

std::string scalars_record(double wall_time, int64_t step,
                           const std::vector<std::pair<std::string, float>>& scalars) {
  Message summary;
  for (const auto& [tag, number] : scalars)
    summary.message(1, Message().text(1, tag).real32(2, number));
  return event(wall_time, step).message(5, summary).record();
}

std::string text_record(double wall_time, int64_t step, std::string_view tag,
                        std::string_view text) {
  constexpr int kString = 7;
  const Message shape = Message().message(2, Message().integer(1, 1));
  const Message tensor = Message().integer(1, kString).message(2, shape).text(8, text);
  const Message metadata = Message().message(1, Message().text(1, "text"));
  const Message value = Message().text(1, tag).message(8, tensor).message(9, metadata);
  return event(wall_time, step).message(5, Message().message(1, value)).record();
}

std::string_view whole_records(std::string_view bytes) {
  std::size_t end = 0;
  for (;;) {
    const std::string_view rest = bytes.substr(end);
    if (rest.size() < kHead + kFoot) return bytes.substr(0, end);
    uint64_t length = 0;
    for (int i = 0; i < 8; ++i) length |= uint64_t{static_cast<uint8_t>(rest[i])} << 8 * i;
    if (length > rest.size() - kHead - kFoot) return bytes.substr(0, end);
    end += kHead + length + kFoot;
  }
}

}  // namespace levin::inline v0
