using System.Text.Json;
using Graphene.Hosting;
using Graphene.Samples.Digits;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Graphene.Samples.DigitsWorker;

/// <summary>Reads each picture of the inbox once and writes what it shows to the outbox.</summary>
/// <remarks>
/// <para>
/// A picture is done when the outbox has a result that is as new as the picture, so a worker that was stopped goes on where it was,
/// and none is lost. A result is written under another name first: whoever waits for it sees all of it or nothing.
/// </para>
/// <para>
/// A picture is read when its size and time have stayed the same from one look at the folder to the next: it may still be
/// being written.
/// </para>
/// </remarks>
public sealed partial class FolderWorker(
    IGrapheneModel<DigitsModel> model, IOptions<FolderOptions> options, ILogger<FolderWorker> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);
    private readonly Dictionary<string, (long Size, DateTime Written)> _seen = [];

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        DirectoryInfo inbox = Directory.CreateDirectory(options.Value.Inbox);
        string outbox = Directory.CreateDirectory(options.Value.Outbox).FullName;
        using var timer = new PeriodicTimer(Interval);
        do
        {
            try
            {
                ReadAll(inbox, outbox, stoppingToken);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                Unreachable(logger, e.Message); // a full disk or a lost mount may come back
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
    }

    private void ReadAll(DirectoryInfo inbox, string outbox, CancellationToken cancellation)
    {
        foreach (FileInfo picture in inbox.EnumerateFiles())
        {
            cancellation.ThrowIfCancellationRequested();
            string result = Path.Combine(outbox, picture.Name + ".json");
            if (picture.Extension.ToUpperInvariant() is not (".PNG" or ".PGM")
                || File.GetLastWriteTimeUtc(result) >= picture.LastWriteTimeUtc)
            {
                _seen.Remove(picture.Name);
                continue;
            }
            var look = (picture.Length, picture.LastWriteTimeUtc);
            if (_seen.TryGetValue(picture.Name, out var last) && last == look)
            {
                Write(result, Read(picture));
                _seen.Remove(picture.Name);
            }
            else
            {
                _seen[picture.Name] = look;
            }
        }
    }

    private PictureResult Read(FileInfo picture)
    {
        try
        {
            if (picture.Length > PngDecoder.MaxBytes)
            {
                throw new ImageFormatException($"more than {PngDecoder.MaxBytes} bytes");
            }
            byte[] image = DigitNormalizer.Normalize(GreyImage.Decode(File.ReadAllBytes(picture.FullName)))
                ?? throw new ImageFormatException("nothing is drawn");
            using ModelLease<DigitsModel> lease = model.Acquire();
            DigitAnswer answer = DigitAnswer.Of(lease.Model, image);
            string version = lease.Version.ShortHash;
            Done(logger, picture.Name, answer.Digit, version);
            return new PictureResult(picture.Name, answer.Digit, answer.Probabilities[answer.Digit], version, null);
        }
        catch (ImageFormatException e)
        {
            NotRead(logger, picture.Name, e.Message);
            return new PictureResult(picture.Name, null, null, null, e.Message);
        }
    }

    private static void Write(string path, PictureResult result)
    {
        string temporary = $"{path}.{Guid.NewGuid():N}.tmp";
        File.WriteAllBytes(temporary, JsonSerializer.SerializeToUtf8Bytes(result, PictureJson.Default.PictureResult));
        File.Move(temporary, path, overwrite: true);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Picture} shows {Digit} (model version {Version})")]
    private static partial void Done(ILogger logger, string picture, int digit, string version);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Picture} cannot be read: {Reason}")]
    private static partial void NotRead(ILogger logger, string picture, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The folders cannot be used now: {Reason}")]
    private static partial void Unreachable(ILogger logger, string reason);
}
