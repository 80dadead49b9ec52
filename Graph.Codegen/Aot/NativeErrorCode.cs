namespace Graphene.Codegen.Aot;

/// <summary>What the functions of a native library return; part of the C ABI. The names in C are <c>NAME_ERROR_...</c>.</summary>
internal enum NativeErrorCode
{
    Ok = 0,
    Cancelled = 1,
    Assertion = 2,
    NullInput = 3,
    MisalignedInput = 4,
    NullOutput = 5,
    MisalignedOutput = 6,
    NullWorkspace = 7,
    MisalignedWorkspace = 8,
    ShortWorkspace = 9,
    NullDims = 10,
    DimRange = 11,
    Shape = 12,
    TooLarge = 13,
    NullWeights = 14,
    MisalignedWeights = 15,
    BadWeights = 16,
    Processor = 17,
}

/// <summary>The names and texts of the error codes.</summary>
internal static class NativeErrorCodes
{
    /// <summary>By code: the end of the name in C, and what <c>NAME_error_message</c> says.</summary>
    public static readonly (string Name, string Message)[] All =
    [
        ("OK", "success"),
        ("ERROR_CANCELLED", "the run was cancelled; outputs are undefined"),
        ("ERROR_ASSERTION", "an assertion of the graph does not hold for these inputs"),
        ("ERROR_NULL_INPUT", "the list of inputs or a pointer in it is null"),
        ("ERROR_MISALIGNED_INPUT", "an input is not aligned to the size of its elements"),
        ("ERROR_NULL_OUTPUT", "the list of outputs or a pointer in it is null"),
        ("ERROR_MISALIGNED_OUTPUT", "an output is not aligned to the size of its elements"),
        ("ERROR_NULL_WORKSPACE", "the workspace is null"),
        ("ERROR_MISALIGNED_WORKSPACE", "the workspace is not aligned as the header asks"),
        ("ERROR_SHORT_WORKSPACE", "the workspace has fewer bytes than this run needs"),
        ("ERROR_NULL_DIMS", "the list of dimensions is null"),
        ("ERROR_DIM_RANGE", "a dimension is out of its range"),
        ("ERROR_SHAPE", "the dimensions do not fit together"),
        ("ERROR_TOO_LARGE", "the dimensions need more memory than can be addressed"),
        ("ERROR_NULL_WEIGHTS", "the weights are null"),
        ("ERROR_MISALIGNED_WEIGHTS", "the weights are not aligned to 64 bytes"),
        ("ERROR_BAD_WEIGHTS", "the weights are not the file that the library was compiled with, or are damaged"),
        ("ERROR_PROCESSOR", "the processor lacks instructions that the code was compiled for"),
    ];
}
