#include "autograd/errors.h"

namespace graft {

Error::~Error() = default;
ShapeError::~ShapeError() = default;
IndexError::~IndexError() = default;
SizeError::~SizeError() = default;
ValueError::~ValueError() = default;
GraphError::~GraphError() = default;
FileError::~FileError() = default;
FormatError::~FormatError() = default;

}  // namespace graft
