namespace Graphene.Hosting;

/// <summary>Which file the answers of a model come from.</summary>
/// <param name="Model">The name of the model.</param>
/// <param name="Number">1 for the version that the service started with, and one more for each that took its place.</param>
/// <param name="Hash">The SHA-256 of the bundle, 64 hexadecimal digits: equal exactly when the bytes of the file are.</param>
/// <param name="Path">Where the bundle was found.</param>
/// <param name="SizeInBytes">The size of the bundle.</param>
/// <param name="LoadedAt">When the version was ready.</param>
/// <param name="LoadTime">How long reading, verifying and warming up took.</param>
public sealed record ModelVersion(
    string Model, int Number, string Hash, string Path, long SizeInBytes, DateTimeOffset LoadedAt, TimeSpan LoadTime)
{
    private const int ShortHashLength = 12;

    /// <summary>The beginning of the hash: enough for people and labels.</summary>
    public string ShortHash { get; } = Hash[..ShortHashLength];

    /// <summary>The short hash.</summary>
    public override string ToString() => ShortHash;
}
