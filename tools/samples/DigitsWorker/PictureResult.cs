using System.Text.Json.Serialization;

namespace Graphene.Samples.DigitsWorker;

/// <summary>What is written for a picture.</summary>
/// <param name="Picture">The name of its file.</param>
/// <param name="Digit">What it shows; null when it could not be read.</param>
/// <param name="Probability">How probable that is.</param>
/// <param name="Version">The version of the model that says so.</param>
/// <param name="Error">Why the picture could not be read.</param>
public sealed record PictureResult(string Picture, int? Digit, float? Probability, string? Version, string? Error);

/// <summary>Writes results without reflection.</summary>
[JsonSourceGenerationOptions(
    WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(PictureResult))]
internal sealed partial class PictureJson : JsonSerializerContext;
