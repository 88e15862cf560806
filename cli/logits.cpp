// graft logits: a model's logits for rows of ids, as a safetensors file. For comparison with other programs.
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "autograd/sizes.h"
#include "cli/commands.h"
#include "cli/models.h"
#include "cli/options.h"
#include "formats/file.h"
#include "formats/safetensors.h"
#include "peft/adapter_file.h"

namespace graft::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

struct Options {
  std::string model, adapter, ids, out;
  std::vector<std::string> ignored_fields;
};

/// {"ids": [[1, 2], [3, 4]]}: rows of equal length, every id in [0, vocabulary). Errors name the row and the position in it.
Ids read_ids(const std::string& path, Index vocabulary) {
  const std::string where = path + ": ";
  const std::string form = "; the file must be {\"ids\": [[1, 2, 3], [4, 5, 6]]}";
  Json json;
  try {
    const auto shallow = [&](int depth, Json::parse_event_t, Json&) {
      expect<FormatError>(depth <= 4, where, "nested too deeply", form);
      return true;
    };
    json = Json::parse(formats::read_text(path), shallow);
  } catch (const Json::exception& e) {
    const std::string what = e.what();
    throw FormatError(text(where, "this is not JSON:", what.substr(what.find(']') + 1), form));  // without nlohmann's error number
  }
  expect<FormatError>(json.is_object() && json.contains("ids"), where, "there is no \"ids\"", form);
  for (const auto& entry : json.items())
    expect<FormatError>(entry.key() == "ids", where, "unknown field \"", entry.key(), "\"; only \"ids\" is allowed", form);
  const Json& rows = json["ids"];
  expect<FormatError>(rows.is_array() && !rows.empty() && rows[0].is_array() && !rows[0].empty(), where,
                      "\"ids\" must hold at least one row with at least one id", form);
  std::vector<Id> all;
  for (std::size_t b = 0; b < rows.size(); ++b) {
    expect<FormatError>(rows[b].is_array(), where, "ids[", b, "] is ", rows[b].type_name(), ", not a row", form);
    expect<FormatError>(rows[b].size() == rows[0].size(), where, "rows must have equal length, but row 0 has ", rows[0].size(),
                        " ids and row ", b, " has ", rows[b].size());
    for (std::size_t t = 0; t < rows[b].size(); ++t) {
      const Json& id = rows[b][t];
      expect<FormatError>(id.is_number_integer(), where, "ids[", b, "][", t, "] is ",
                          id.is_structured() ? id.type_name() : id.dump(), ", not a whole number");
      const bool known = id.is_number_unsigned() && id.get<std::uint64_t>() < static_cast<std::uint64_t>(vocabulary);
      expect<IndexError>(known, where, "ids[", b, "][", t, "] is ", id.dump(), ", but this model has the ids 0 to ",
                         vocabulary - 1);
      all.push_back(id.get<Id>());
    }
  }
  return Ids({size_of(rows), size_of(rows[0])}, std::move(all));
}

void logits(const Options& options) {
  const fs::path folder = fs::absolute(options.out).parent_path();  // before the work, not after it
  expect<FileError>(fs::is_directory(folder), "--out: there is no folder ", folder.string());
  expect<FileError>(!fs::is_directory(options.out), "--out: ", options.out, " is a folder; name a file in it");
  const std::string from = find_model(options.model);
  const auto over = [&](const fs::path& input) {
    std::error_code none;
    return fs::equivalent(options.out, input, none) || (fs::is_directory(input, none) && fs::equivalent(folder, input, none));
  };
  expect<ValueError>(!over(options.ids) && !over(from) && !over(options.adapter), "--out: ", options.out,
                     " would overwrite the ids or a file of the model or adapter; name another file");
  Loaded loaded = load(from);
  if (!options.adapter.empty()) peft::load_adapter(loaded, options.adapter, "default", {options.ignored_fields});
  Model& model = *loaded.model;
  const NoGrad values_only;
  const Ids ids = read_ids(options.ids, model.vocabulary());
  const Variable y = loaded.classifier         ? (*loaded.classifier)(ids)                  // (B, labels)
                     : loaded.token_classifier ? (*loaded.token_classifier)(ids)            // (B, T, labels)
                                               : model(model.prompt_template(Batch{ids}));  // (B, T, V)
  formats::Numbers numbers;
  numbers.name = "logits";
  for (int axis = 0; axis < y.shape().rank(); ++axis) numbers.shape.push_back(y.shape()[axis]);
  numbers.data = y.value().data();
  formats::write_safetensors(options.out, {numbers});
}

}  // namespace

void add_logits(const Command& program) {
  const auto options = std::make_shared<Options>();
  const Command command = program.add_command("logits", "save a model's logits for rows of ids as a safetensors file");
  add_model_option(command, options->model);
  add_adapter_option(command, options->adapter, options->ignored_fields);
  command.add_option("--ids", options->ids, "a JSON file, {\"ids\": [[1, 2], [3, 4]]}, with rows of equal length")
      .required()
      .check(filled())
      .type_name("FILE");
  command
      .add_option("--out", options->out,
                   "where to write one F32 tensor \"logits\": [rows, length, vocabulary], [rows, labels] for a classifier, "
                   "[rows, length, labels] for a token classifier; an adapter's virtual tokens count towards the length")
      .required()
      .check(filled())
      .type_name("FILE");
  command.footer("Example:\n  graft logits --model smollm2-135m --ids ids.json --out logits.safetensors");
  command.callback([options] { logits(*options); });
}

}  // namespace graft::cli
