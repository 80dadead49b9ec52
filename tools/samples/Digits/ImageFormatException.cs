namespace Graphene.Samples.Digits;

/// <summary>A file is not a picture that can be read here; the message says why, for whoever sent it.</summary>
public sealed class ImageFormatException(string message, Exception? inner = null) : Exception(message, inner);
