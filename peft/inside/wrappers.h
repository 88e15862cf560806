// Traverses all that is attached to a model.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "peft/method.h"
#include "peft/wrapper.h"

namespace graft::peft {

/// visit(path, part, adapter) for all parts, in order of declaration; what is inside an adapter's part is the adapter's, too.
void each(const BaseModel& base,
          const std::function<void(const std::string& path, Part& part, const std::string& adapter)>& visit);
std::vector<Wrapper*> wrappers(const BaseModel& base);  ///< the outer before the inner
/// The parameters that have a variant of this name. (Not the variants: they go when these drop them.)
std::vector<Param*> varied(const BaseModel& base, const std::string& name);
std::string merged_name(const BaseModel& base);  ///< what is merged into the weights; "" if nothing is
/// What is merged takes the place of the base, which is kept aside, out of reach. Errors: ValueError names both.
void expect_none_merged(const BaseModel& base, const std::string& name, const char* who);
/// Errors: ValueError lists the existing names.
void expect_attached(const BaseModel& base, const std::string& name, const char* who);

}  // namespace graft::peft
