using System.Globalization;
using Graphene.Runtime;
using Graphene.Samples.Digits;

namespace Graphene.Samples.DigitsConsole;

/// <summary>A compiled model in a console application: load, run, read. No services, no compiler, no LLVM.</summary>
public static class DigitsCommand
{
    private const int BadUsage = 2;

    /// <summary>Reads the digits in some pictures.</summary>
    /// <param name="args">The bundle, then PNG or PGM files.</param>
    /// <param name="output">Receives one line for each picture.</param>
    /// <param name="errors">Receives what is wrong.</param>
    /// <returns>0; 1 when a picture could not be read; 2 for bad usage or a bad model.</returns>
    public static int Run(string[] args, TextWriter output, TextWriter errors)
    {
        if (args.Length < 2)
        {
            errors.WriteLine("usage: digits MODEL.graphene PICTURE...");
            return BadUsage;
        }
        try
        {
            using DigitsModel model = DigitsModel.Create(CompiledGraph.Load(args[0]));
            int unread = 0;
            foreach (string picture in args[1..])
            {
                unread += TryRead(model, picture, output, errors) ? 0 : 1;
            }
            return unread == 0 ? 0 : 1;
        }
        catch (GraphException e)
        {
            errors.WriteLine(e.Message);
            return BadUsage;
        }
    }

    private static bool TryRead(DigitsModel model, string picture, TextWriter output, TextWriter errors)
    {
        try
        {
            if (new FileInfo(picture) is { Exists: true, Length: > PngDecoder.MaxBytes })
            {
                throw new ImageFormatException($"more than {PngDecoder.MaxBytes} bytes");
            }
            byte[] image = DigitNormalizer.Normalize(GreyImage.Decode(File.ReadAllBytes(picture)))
                ?? throw new ImageFormatException("nothing is drawn");
            DigitAnswer answer = DigitAnswer.Of(model, image);
            string probability = answer.Probabilities[answer.Digit].ToString("P1", CultureInfo.InvariantCulture);
            output.WriteLine($"{picture}: {answer.Digit} ({probability})");
            return true;
        }
        catch (Exception e) when (e is ImageFormatException or IOException or UnauthorizedAccessException)
        {
            errors.WriteLine($"{picture}: {e.Message}");
            return false;
        }
    }
}
