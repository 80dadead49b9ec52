using System.Text.Json.Serialization;
using Graphene.Hosting;
using Graphene.Samples.Digits;
using Microsoft.AspNetCore.Mvc;

namespace Graphene.Samples.DigitsService;

/// <summary>The answer to a picture.</summary>
/// <param name="Digit">The most probable digit.</param>
/// <param name="Probabilities">One for each digit.</param>
/// <param name="Logits">What the model gave.</param>
/// <param name="Image">The 28 x 28 bytes that the model saw, in base64.</param>
/// <param name="Model">Which model answered.</param>
public sealed record DigitReply(int Digit, float[] Probabilities, float[] Logits, byte[] Image, ModelReply Model)
{
    /// <summary>Puts an answer together.</summary>
    public static DigitReply Of(DigitAnswer answer, byte[] image, ModelVersion version) =>
        new(answer.Digit, answer.Probabilities, answer.Logits, image, ModelReply.Of(version));
}

/// <summary>A version of the model.</summary>
/// <param name="Name">The model.</param>
/// <param name="Version">The hash of its bundle.</param>
/// <param name="Number">How many versions the service has had.</param>
/// <param name="LoadedAt">When it was loaded.</param>
public sealed record ModelReply(string Name, string Version, int Number, DateTimeOffset LoadedAt)
{
    /// <summary>Describes a version.</summary>
    public static ModelReply Of(ModelVersion version) => new(version.Model, version.Hash, version.Number, version.LoadedAt);
}

/// <summary>Writes replies without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(DigitReply))]
[JsonSerializable(typeof(ProblemDetails))]
[JsonSerializable(typeof(HealthReply))]
internal sealed partial class DigitsJson : JsonSerializerContext;
