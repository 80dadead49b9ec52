using Graphene.Cli.Values;

namespace Graphene.Cli.Conformance;

/// <summary>What is known about single cases of the ONNX backend tests and cannot be read from their files.</summary>
internal static class OnnxSuiteFacts
{
    // Their outputs come from a random generator that the standard does not define: only type and shape are comparable.
    private static readonly string[] RandomOutputs =
    [
        "test_bernoulli", "test_training_dropout", "test_training_dropout_default", "test_training_dropout_default_mask",
        "test_training_dropout_mask",
    ];

    // Sums of a Fourier transform that are zero in exact arithmetic: the suite's 1e-7 is below the rounding of any f32 algorithm.
    private static readonly string[] FourierSums = ["test_dft", "test_stft"];

    /// <summary>True when only types and shapes of the outputs can be compared.</summary>
    public static bool HasRandomOutputs(string name) =>
        RandomOutputs.Contains(name) || name.StartsWith("test_bernoulli", StringComparison.Ordinal);

    /// <summary>The tolerance of a case: that of the suite's own runner for its cases, the one for models for any other folder.</summary>
    public static Tolerance ToleranceOf(string name, DType type)
    {
        if (!name.StartsWith("test_", StringComparison.Ordinal))
        {
            return Tolerance.OfModels(type);
        }
        return FourierSums.Any(p => name.StartsWith(p, StringComparison.Ordinal))
            ? Tolerance.OnnxBackendTests with { OfLargest = 1e-6 }
            : Tolerance.OnnxBackendTests;
    }
}
